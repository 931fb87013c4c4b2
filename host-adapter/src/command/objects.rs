//! `everslot objects`

use std::error::Error;
use std::process::ExitCode;

use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use everslot_core::Copies;

use super::crew::Crew;
use super::domain::Which;
use super::domain::opened::GroupPin;
use super::{Outcome, output};
use crate::journal::Journal;
use crate::objects::{Listed, class_name, hex, list};

const EXAMPLES: &str = "\
Examples:
  everslot objects
  everslot objects --json | jq '.[] | select(.short) | {class, label, members}'
  everslot objects --group signing

What is on fewer members than the configuration asks for is marked; everslot sync brings it there, if it can be carried.
Ends with 1 when a member could not be asked.";

/// List every object with the members that hold it
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    which: Which,
    /// JSON instead of a table
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let (rows, missing) = rows(&arguments.which, &GroupPin::default())?;
    output::print(&if arguments.json {
        serde_json::to_string_pretty(&rows)? + "\n"
    } else {
        table(&rows)
    })?;
    missing.iter().for_each(|line| output::warn(line));
    Ok(if missing.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The objects of that label, a line each with the members that hold it.
pub(super) fn holders(
    which: &Which,
    pin: &GroupPin,
    label: &str,
) -> Result<Vec<String>, Box<dyn Error>> {
    let (rows, _) = rows(which, pin)?;
    let named = rows.iter().filter(|row| row.label == label);
    let line = |row: &Row| {
        let note = if row.note.is_empty() { "" } else { "; " };
        format!(
            "{}: on {}{note}{}",
            row.class,
            row.members.join(", "),
            row.note
        )
    };
    Ok(named.map(line).collect())
}

/// All objects, and a line for each member that could not be asked.
fn rows(which: &Which, pin: &GroupPin) -> Result<(Vec<Row>, Vec<String>), Box<dyn Error>> {
    let group = which.find()?;
    let mut journal = Journal::open_existing(&group.journal, &group.serial)?;
    let mut crew = Crew::open(&group, &mut journal, pin)?;
    let missing = std::mem::take(&mut crew.missing);
    let key_name = crew.key_name.clone();
    let asked = match group.copies {
        Copies::All => group.members.len(),
        Copies::Number(number) => usize::from(number.max(1)).min(group.members.len()),
    };
    let mut rows = Vec::new();
    list(&mut journal, &key_name, &mut crew.peers(), |listed| {
        rows.push(Row::of(&listed, asked));
    })?;
    Ok((rows, missing))
}

/// An object as it is shown.
#[derive(serde::Serialize)]
struct Row {
    class: &'static str,
    label: String,
    id: String,
    fingerprint: String,
    members: Vec<String>,
    /// Members that could not be asked, and are on record to have it.
    away: Vec<String>,
    /// Whether it is on fewer members than asked.
    short: bool,
    /// Whether a member has it more than once, or the group does.
    ambiguous: bool,
    carryable: bool,
    /// Whether it is the group's, or only that of the members that have it.
    known: bool,
    #[serde(skip)]
    note: String,
}

impl Row {
    fn of(listed: &Listed, asked: usize) -> Self {
        let short = listed.members.len() + listed.away.len() < asked;
        let ambiguous = !listed.twins.is_empty() || listed.on_record > 1;
        let known = listed.on_record > 0;
        let mut notes = Vec::new();
        if listed.pending {
            notes.push("is being made".to_owned());
        }
        if ambiguous {
            let twins = listed.twins.join(", ");
            notes.push(format!("more than once on {twins}"));
        }
        if !known && !listed.pending && !ambiguous {
            notes.push("not the group's yet".to_owned());
        }
        if listed.members.is_empty() && listed.away.is_empty() {
            notes.push("on no member any more".to_owned());
        } else if short && known {
            notes.push("on fewer members than asked".to_owned());
        }
        if !listed.carryable {
            notes.push("cannot be carried".to_owned());
        }
        Self {
            class: class_name(listed.class),
            label: String::from_utf8_lossy(&listed.label).into_owned(),
            id: hex(&listed.id),
            fingerprint: hex(&listed.fingerprint.0),
            members: listed.members.clone(),
            away: listed.away.clone(),
            short,
            ambiguous,
            carryable: listed.carryable,
            known,
            note: notes.join(", "),
        }
    }
}

fn table(rows: &[Row]) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header([
        "CLASS",
        "LABEL",
        "ID",
        "FINGERPRINT",
        "MEMBERS",
        "NOTE",
    ]);
    for row in rows {
        let away = row.away.iter().map(|name| format!("{name} (away)"));
        let members: Vec<_> = row.members.iter().cloned().chain(away).collect();
        table.add_row([
            // A label is the application's: nothing in it may move the cursor.
            row.class.to_owned(),
            row.label.escape_debug().to_string(),
            row.id.clone(),
            row.fingerprint.get(..8).unwrap_or_default().to_owned(),
            members.join(", "),
            row.note.clone(),
        ]);
    }
    format!("{table}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Fingerprint;

    fn listed(members: &[&str]) -> Listed {
        Listed {
            fingerprint: Fingerprint([7; 16]),
            class: cryptoki_sys::CKO_DATA,
            label: b"one\n".to_vec(),
            id: Vec::new(),
            members: members.iter().map(|name| (*name).to_owned()).collect(),
            twins: Vec::new(),
            away: Vec::new(),
            on_record: 1,
            carryable: true,
            pending: false,
        }
    }

    #[test]
    fn what_is_not_as_it_is_to_be_is_marked() {
        let note = |listed: Listed| Row::of(&listed, 2).note;
        assert_eq!(note(listed(&["a", "b"])), "");
        assert_eq!(note(listed(&["a"])), "on fewer members than asked");
        let away = vec!["b".to_owned()];
        let one = listed(&["a"]);
        assert_eq!(note(Listed { away, ..one }), "");
        assert_eq!(note(listed(&[])), "on no member any more");
        let twins = vec!["a".to_owned()];
        let one = listed(&["a", "b"]);
        assert_eq!(note(Listed { twins, ..one }), "more than once on a");
        let one = listed(&["a"]);
        let fixed = Listed {
            carryable: false,
            on_record: 0,
            ..one
        };
        assert_eq!(note(fixed), "not the group's yet, cannot be carried");
    }

    #[test]
    fn a_label_does_not_move_the_cursor() {
        let table = table(&[Row::of(&listed(&["a"]), 1)]);
        assert!(table.contains("one\\n"), "{table}");
    }
}
