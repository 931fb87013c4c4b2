//! Changes of the configuration's text.

use std::collections::BTreeMap;

use toml_edit::{ArrayOfTables, DocumentMut, InlineTable, Item, Table, value};

/// A token that was found, as a member is written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Found {
    pub(super) serial: String,
    /// A name for it that may stand in the configuration.
    pub(super) name: String,
    pub(super) module: String,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) init_string: Option<String>,
    pub(super) in_process: bool,
}

/// Whether a member serves always, or only when no active one is left.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Role {
    Active,
    Standby,
}

impl Role {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Standby => "standby",
        }
    }
}

/// What is to be changed of the recovery.
pub(super) struct Recovery {
    pub(super) retry: Option<i64>,
    /// Seconds.
    pub(super) interval: Option<u64>,
}

/// The longest serial that a group may have.
const SERIAL: usize = 16;

/// A group of one member; its number is that of its first member with a 1 before it, as Luna has it.
pub(super) fn add_group(
    document: &mut DocumentMut,
    label: &str,
    first: &Found,
) -> Result<(), String> {
    let groups = document
        .entry("group")
        .or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    let groups = groups.as_array_of_tables_mut().ok_or(INLINE)?;
    if groups
        .iter()
        .any(|group| text(group, "label") == Some(label))
    {
        return Err(format!(
            "there is a group {label:?} already; add members to it with addMember"
        ));
    }
    let mut group = Table::new();
    group["label"] = value(label);
    let number: String = format!("1{}", first.serial).chars().take(SERIAL).collect();
    group["serial"] = value(number);
    let mut members = ArrayOfTables::new();
    members.push(member_table(first, &first.name));
    group["member"] = Item::ArrayOfTables(members);
    if !groups.is_empty() {
        group.decor_mut().set_prefix("\n");
    }
    groups.push(group);
    Ok(())
}

pub(super) fn add_member(
    document: &mut DocumentMut,
    group: &str,
    found: &Found,
) -> Result<(), String> {
    let members = members(group_mut(document, group)?)?;
    let is_taken = |name: &str| {
        members
            .iter()
            .any(|member| text(member, "name") == Some(name))
    };
    // The second of two tokens with one label is told by its serial.
    let name = if is_taken(&found.name) {
        &found.serial
    } else {
        &found.name
    };
    let table = member_table(found, name);
    members.push(table);
    Ok(())
}

pub(super) fn remove_member(
    document: &mut DocumentMut,
    group: &str,
    name: &str,
) -> Result<(), String> {
    members(group_mut(document, group)?)?.retain(|member| text(member, "name") != Some(name));
    Ok(())
}

pub(super) fn remove_group(document: &mut DocumentMut, group: &str) -> Result<(), String> {
    group_mut(document, group)?;
    let groups = groups(document)?;
    groups.retain(|table| !is_named(table, group));
    Ok(())
}

pub(super) fn set_role(
    document: &mut DocumentMut,
    group: &str,
    name: &str,
    role: Role,
) -> Result<(), String> {
    let members = members(group_mut(document, group)?)?;
    let member = members
        .iter_mut()
        .find(|member| text(member, "name") == Some(name));
    let member = member.ok_or_else(|| format!("group {group:?} has no member {name:?}"))?;
    set(member, "role", role.word());
    Ok(())
}

/// Luna has one setting for all groups.
pub(super) fn set_recovery(document: &mut DocumentMut, recovery: &Recovery) -> Result<(), String> {
    for group in groups(document)?.iter_mut() {
        let table = group
            .entry("recovery")
            .or_insert_with(|| Item::Table(Table::new()));
        let table = table.as_table_like_mut().ok_or("recovery is not a table")?;
        if let Some(retry) = recovery.retry {
            set(table, "attempts", retry);
        }
        if let Some(interval) = recovery.interval {
            set(table, "interval", format!("{interval}s"));
        }
    }
    Ok(())
}

pub(super) fn set_log(document: &mut DocumentMut, key: &str, new: &str) -> Result<(), String> {
    let log = document
        .entry("log")
        .or_insert_with(|| Item::Table(Table::new()));
    let log = log.as_table_like_mut().ok_or("log is not a table")?;
    set(log, key, new);
    Ok(())
}

const INLINE: &str = "groups and members must stand as [[group]] and [[group.member]] to be changed by a command; edit the file by hand";

fn groups(document: &mut DocumentMut) -> Result<&mut ArrayOfTables, String> {
    let groups = document.get_mut("group").ok_or("there is no group")?;
    groups
        .as_array_of_tables_mut()
        .ok_or_else(|| INLINE.to_owned())
}

fn group_mut<'d>(document: &'d mut DocumentMut, group: &str) -> Result<&'d mut Table, String> {
    groups(document)?
        .iter_mut()
        .find(|table| is_named(table, group))
        .ok_or_else(|| format!("there is no group {group:?}"))
}

fn is_named(table: &Table, group: &str) -> bool {
    [text(table, "label"), text(table, "serial")].contains(&Some(group))
}

fn members(group: &mut Table) -> Result<&mut ArrayOfTables, String> {
    let members = group.get_mut("member").ok_or("the group has no member")?;
    members
        .as_array_of_tables_mut()
        .ok_or_else(|| INLINE.to_owned())
}

fn text<'t>(table: &'t Table, key: &str) -> Option<&'t str> {
    table.get(key)?.as_str()
}

/// In the place of the old value, with the comment that stands behind it.
fn set(table: &mut dyn toml_edit::TableLike, key: &str, new: impl Into<toml_edit::Value>) {
    let mut new = new.into();
    match table.get_mut(key).and_then(Item::as_value_mut) {
        Some(old) => {
            *new.decor_mut() = old.decor().clone();
            *old = new;
        }
        None => {
            table.insert(key, Item::Value(new));
        }
    }
}

fn member_table(found: &Found, name: &str) -> Table {
    let mut table = Table::new();
    table.decor_mut().set_prefix("\n");
    table["name"] = value(name);
    table["module"] = value(&found.module);
    table["serial"] = value(&found.serial);
    if !found.environment.is_empty() {
        let mut environment = InlineTable::new();
        for (name, content) in &found.environment {
            environment.insert(name, content.into());
        }
        table["environment"] = value(environment);
    }
    if let Some(init_string) = &found.init_string {
        table["init_string"] = value(init_string);
    }
    if found.in_process {
        table["isolation"] = value("none");
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(serial: &str) -> Found {
        Found {
            serial: serial.to_owned(),
            name: "par".to_owned(),
            module: "/m.so".to_owned(),
            environment: BTreeMap::from([("CONF".to_owned(), "/c".to_owned())]),
            init_string: None,
            in_process: false,
        }
    }

    fn edited(text: &str, edit: impl Fn(&mut DocumentMut) -> Result<(), String>) -> String {
        let mut document = text.parse().expect("it is TOML");
        edit(&mut document).expect("it can be done");
        document.to_string()
    }

    const TWO: &str = "\
# first
[[group]]
label = \"g\" # its label
serial = \"142\"

[group.recovery]
attempts = 5 # not more

[[group.member]]
name = \"a\"
role = \"active\" # for now

[[group]]
label = \"h\"
serial = \"143\"

[[group.member]]
name = \"b\"
";

    #[test]
    fn a_group_begins_with_its_first_member_whose_serial_makes_its_number() {
        let text = edited("", |document| {
            add_group(document, "g", &found("0123456789abcdef"))
        });
        let expected = "\
[[group]]
label = \"g\"
serial = \"10123456789abcde\"

[[group.member]]
name = \"par\"
module = \"/m.so\"
serial = \"0123456789abcdef\"
environment = { CONF = \"/c\" }
";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_member_joins_its_own_group_and_the_second_of_one_label_is_called_by_its_serial() {
        let text = edited(TWO, |document| {
            add_member(document, "g", &found("7"))?;
            add_member(document, "142", &found("8"))
        });
        let (first, second) = text
            .split_once("label = \"h\"")
            .expect("both groups are there");
        assert!(
            first.contains("name = \"par\"") && first.contains("name = \"8\""),
            "{text}"
        );
        assert!(!second.contains("par"), "{text}");
        assert_eq!(
            edited(&text, |document| {
                remove_member(document, "g", "par")?;
                remove_member(document, "g", "8")
            }),
            TWO
        );
    }

    #[test]
    fn roles_and_recovery_change_in_their_place_and_keep_their_comments() {
        let text = edited(TWO, |document| set_role(document, "g", "a", Role::Standby));
        assert_eq!(text, TWO.replace("\"active\"", "\"standby\""));
        let recovery = Recovery {
            retry: Some(-1),
            interval: None,
        };
        let text = edited(TWO, |document| set_recovery(document, &recovery));
        assert!(text.contains("attempts = -1 # not more"), "{text}");
        assert_eq!(text.matches("attempts = -1").count(), 2);
    }

    #[test]
    fn what_is_not_there_cannot_be_changed() {
        let mut document: DocumentMut = TWO.parse().expect("it is TOML");
        let none = Err("there is no group \"x\"".to_owned());
        assert_eq!(add_member(&mut document, "x", &found("7")), none);
        assert_eq!(remove_group(&mut document, "x"), none);
        assert!(add_group(&mut document, "g", &found("7")).is_err());
        assert!(set_role(&mut document, "g", "b", Role::Standby).is_err());
        assert_eq!(document.to_string(), TWO);
    }
}
