//! Luna's settings as ours.

use std::collections::BTreeSet;
use std::path::Path;

use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};

use super::chrystoki::Chrystoki;

/// A configuration of ours.
#[derive(Debug)]
pub(super) struct Converted {
    pub(super) text: String,
    /// What is otherwise than with Luna; one line each.
    pub(super) notes: Vec<String>,
    /// The settings that mean nothing here, as they stand.
    pub(super) without_counterpart: Vec<String>,
}

/// Luna's own, in milliseconds, where the file does not say.
const RECEIVE_TIMEOUT: u64 = 20_000;
/// Luna's own, in seconds, where the file does not say.
const INTERVAL: u64 = 60;
/// Luna numbers its groups with two digits.
const GROUPS: usize = 100;

/// Sections whose settings are for Luna's own module, which goes on to read them.
const OF_THE_MODULE: [&str; 6] = [
    "LunaSA Client",
    "Chrystoki2",
    "Luna",
    "CardReader",
    "Secure Trusted Channel",
    "Misc",
];

/// What a group has of Luna's settings for all groups.
struct Common {
    module: String,
    deadline: String,
    interval: String,
    attempts: i64,
    expose_members: bool,
}

/// Takes what has a counterpart out of `luna`, and names all else.
///
/// # Errors
/// There is no group, or a setting has no value of its kind.
pub(super) fn convert(mut luna: Chrystoki, module: Option<&Path>) -> Result<Converted, String> {
    let mut notes = Vec::new();
    let common = common(&mut luna, module, &mut notes)?;
    let mut document = DocumentMut::new();
    document
        .decor_mut()
        .set_prefix("# Made by `everslot import` of a Luna client's configuration.\n");
    log(&mut luna, &mut document, &mut notes);
    let mut groups = ArrayOfTables::new();
    for number in 0..GROUPS {
        if let Some(group) = group(&mut luna, number, &common, &mut notes)? {
            groups.push(group);
        }
    }
    if groups.is_empty() {
        return Err("there is no HA group in it (VirtualToken00Label, …)".to_owned());
    }
    document["group"] = Item::ArrayOfTables(groups);
    recovery_mode(&mut luna, &mut notes);
    let of_module = |section: &str| {
        OF_THE_MODULE
            .iter()
            .any(|own| own.eq_ignore_ascii_case(section))
    };
    let left = luna.rest().into_iter().map(|setting| {
        let whose = if of_module(&setting.section) {
            " (Luna's module goes on to read it)"
        } else {
            ""
        };
        format!(
            "{}: {} = {}{whose}",
            setting.section, setting.name, setting.value
        )
    });
    Ok(Converted {
        text: document.to_string(),
        without_counterpart: left.collect(),
        notes,
    })
}

fn common(
    luna: &mut Chrystoki,
    module: Option<&Path>,
    notes: &mut Vec<String>,
) -> Result<Common, String> {
    let named = ["LibUNIX64", "LibUNIX", "LibNT64", "LibNT"];
    let named = named
        .into_iter()
        .find_map(|name| luna.take("Chrystoki2", name));
    let module = match (module, named) {
        (Some(module), _) => module.display().to_string(),
        (None, Some(module)) => module,
        (None, None) => {
            return Err("it names no module (LibUNIX64 in Chrystoki2); give --module".to_owned());
        }
    };
    let deadline = number(luna, "LunaSA Client", "ReceiveTimeout")?.unwrap_or(RECEIVE_TIMEOUT);
    notes.push(format!(
        "a call that takes longer than {deadline} ms (ReceiveTimeout) means that the member is lost; `deadline` can be much shorter"
    ));
    let interval = number(luna, "HAConfiguration", "AutoReconnectInterval")?.unwrap_or(INTERVAL);
    let attempts = match luna.take("HAConfiguration", "reconnAtt") {
        Some(text) => text
            .parse()
            .map_err(|_| format!("reconnAtt = {text} is not a number"))?,
        None => {
            notes.push("recovery is left to `everslot recover` (attempts = 0), as Luna has it where reconnAtt is not set; -1 is without end".to_owned());
            0
        }
    };
    Ok(Common {
        module,
        deadline: format!("{deadline}ms"),
        interval: format!("{interval}s"),
        attempts,
        expose_members: expose_members(luna, notes),
    })
}

fn number(luna: &mut Chrystoki, section: &str, name: &str) -> Result<Option<u64>, String> {
    let text = luna.take(section, name);
    text.map(|text| {
        text.parse()
            .map_err(|_| format!("{name} = {text} is not a number"))
    })
    .transpose()
}

fn group(
    luna: &mut Chrystoki,
    number: usize,
    common: &Common,
    notes: &mut Vec<String>,
) -> Result<Option<Table>, String> {
    let mut take =
        |name: &str| luna.take("VirtualToken", &format!("VirtualToken{number:02}{name}"));
    let (label, serial, members) = (take("Label"), take("SN"), take("Members"));
    let Some(label) = label else {
        return Ok(None);
    };
    let serial = serial.ok_or_else(|| format!("group {label} has no VirtualToken{number:02}SN"))?;
    let members =
        members.ok_or_else(|| format!("group {label} has no VirtualToken{number:02}Members"))?;
    let standby = luna.take("HAConfiguration", &format!("{label}StandbyMembers"));
    let standby: BTreeSet<String> = standby.iter().flat_map(|text| serials(text)).collect();
    if luna
        .take("HASynchronize", &label)
        .is_some_and(|flag| flag == "0")
    {
        notes.push(format!("group {label} was not synchronised (HASynchronize); here its members' objects are kept the same"));
    }
    let mut table = Table::new();
    table.decor_mut().set_prefix("\n");
    table["label"] = value(&label);
    table["serial"] = value(serial);
    if common.expose_members {
        table["expose_members"] = value(true);
    }
    let mut recovery = Table::new();
    recovery["interval"] = value(&common.interval);
    recovery["attempts"] = value(common.attempts);
    table["recovery"] = Item::Table(recovery);
    let mut tables = ArrayOfTables::new();
    let actives: Vec<String> = serials(&members)
        .filter(|serial| !standby.contains(serial))
        .collect();
    for (serial, is_standby) in actives
        .iter()
        .map(|serial| (serial, false))
        .chain(standby.iter().map(|serial| (serial, true)))
    {
        tables.push(member(serial, is_standby, common));
    }
    table["member"] = Item::ArrayOfTables(tables);
    Ok(Some(table))
}

fn serials(text: &str) -> impl Iterator<Item = String> {
    let parts = text.split([',', ' ']).map(str::trim);
    parts.filter(|serial| !serial.is_empty()).map(str::to_owned)
}

fn member(serial: &str, is_standby: bool, common: &Common) -> Table {
    let mut table = Table::new();
    table["name"] = value(serial);
    table["module"] = value(&common.module);
    table["serial"] = value(serial);
    if is_standby {
        table["role"] = value("standby");
    }
    table["deadline"] = value(&common.deadline);
    table
}

/// Luna's log is a file of its own name in a directory.
fn log(luna: &mut Chrystoki, document: &mut DocumentMut, notes: &mut Vec<String>) {
    let directory = luna.take("HAConfiguration", "haLogPath");
    let status = luna.take("HAConfiguration", "haLogStatus");
    if status.is_none_or(|status| status != "enabled") {
        if let Some(directory) = directory {
            notes.push(format!("Luna's HA log in {directory} was not enabled: losses and failed attempts go to standard error"));
        }
        return;
    }
    let mut table = Table::new();
    table["level"] = value("info");
    if let Some(directory) = directory {
        table["file"] = value(
            Path::new(&directory)
                .join("everslot.log")
                .display()
                .to_string(),
        );
        if let Some(bytes) = luna.take("HAConfiguration", "logLen") {
            table["size"] = value(format!("{bytes}B"));
        }
    }
    document["log"] = Item::Table(table);
}

fn recovery_mode(luna: &mut Chrystoki, notes: &mut Vec<String>) {
    let what = match luna.take("VirtualToken", "VirtualTokenActiveRecovery") {
        Some(mode) => format!("VirtualTokenActiveRecovery = {mode}: recovery runs on a thread of everslot's own"),
        None => "recovery runs on a thread of everslot's own; mode = \"in-call\" has it run within calls, as Luna's did".to_owned(),
    };
    notes.push(what + "; sessions, handles and login outlive the loss of all members");
}

/// Whether members are listed beside the virtual slots, which is what Luna does without the setting.
fn expose_members(luna: &mut Chrystoki, notes: &mut Vec<String>) -> bool {
    let is_hidden = luna
        .take("HAConfiguration", "HAOnly")
        .is_some_and(|flag| flag == "1");
    if is_hidden {
        notes.push("HAOnly = 1 hides the members of Luna's own groups; set it to 0 in Luna's configuration, so that everslot finds them".to_owned());
    }
    !is_hidden
}

#[cfg(test)]
mod tests;
