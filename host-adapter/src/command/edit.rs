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
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(super) enum Role {
    /// Takes its share of the calls.
    Active,
    /// Kept ready; takes calls only when no active member is left.
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

/// Adds a member as it is to be written, but for its name: that is the first of `names` which is free.
pub(super) fn add_table(
    document: &mut DocumentMut,
    group: &str,
    mut names: impl Iterator<Item = String>,
    keys: Table,
) -> Result<String, String> {
    let members = members(group_mut(document, group)?)?;
    let is_taken = |name: &String| {
        let mut taken = members.iter().filter_map(|member| text(member, "name"));
        taken.any(|taken| taken == name)
    };
    let name = names.find(|name| !is_taken(name)).ok_or_else(|| {
        format!("group {group:?} has a member of that name already; give this one its own")
    })?;
    let mut table = Table::new();
    table.decor_mut().set_prefix("\n");
    table["name"] = value(&name);
    table.extend(keys);
    members.push(table);
    Ok(name)
}

pub(super) fn remove_member(
    document: &mut DocumentMut,
    group: &str,
    name: &str,
) -> Result<(), String> {
    member_mut(document, group, name)?;
    members(group_mut(document, group)?)?.retain(|member| text(member, "name") != Some(name));
    Ok(())
}

/// Takes a member out of service, or brings it back.
pub(super) fn set_parked(
    document: &mut DocumentMut,
    group: &str,
    name: &str,
    parked: bool,
) -> Result<(), String> {
    let member = member_mut(document, group, name)?;
    if parked {
        set(member, "parked", true);
    } else {
        member.remove("parked");
    }
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
    set(member_mut(document, group, name)?, "role", role.word());
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

/// Luna has one setting for all groups.
pub(super) fn set_exposed(document: &mut DocumentMut, exposed: bool) -> Result<(), String> {
    for group in groups(document)?.iter_mut() {
        if exposed {
            set(group, "expose_members", true);
        } else {
            group.remove("expose_members");
        }
    }
    Ok(())
}

/// The log goes into a file, wherever it went before.
pub(super) fn set_log_file(document: &mut DocumentMut, path: &str) -> Result<(), String> {
    log_mut(document)?.remove("to");
    set_log(document, "file", path)
}

/// How much is logged, or how long the log's file may become.
pub(super) fn set_log(document: &mut DocumentMut, key: &str, new: &str) -> Result<(), String> {
    set(log_mut(document)?, key, new);
    Ok(())
}

fn log_mut(document: &mut DocumentMut) -> Result<&mut dyn toml_edit::TableLike, String> {
    let log = document
        .entry("log")
        .or_insert_with(|| Item::Table(Table::new()));
    Ok(log.as_table_like_mut().ok_or("log is not a table")?)
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

fn member_mut<'d>(
    document: &'d mut DocumentMut,
    group: &str,
    name: &str,
) -> Result<&'d mut Table, String> {
    members(group_mut(document, group)?)?
        .iter_mut()
        .find(|member| text(member, "name") == Some(name))
        .ok_or_else(|| format!("group {group:?} has no member {name:?}"))
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
mod tests;
