//! The comparison, for people.

use std::collections::BTreeMap;

use comfy_table::{CellAlignment, Table, presets};

use super::outcome::Comparison;
use super::situation::Situation;

/// All comparisons of a run, in the order in which they were made.
#[derive(Debug, Default)]
pub(super) struct Summary(Vec<(String, Situation, Comparison)>);

impl Summary {
    /// Prints the sets of one suite in one situation and keeps their sizes.
    pub(super) fn add(&mut self, suite: &str, situation: Situation, comparison: Comparison) {
        println!("\n{suite}, {}", situation.title());
        if let Some(why) = &comparison.broken {
            println!("  the run is broken: {why}");
        }
        print_set("the bare member fails", &comparison.bare_fails);
        print_set("everslot fails", &comparison.everslot_fails);
        print_set(
            "only everslot fails",
            &owned(comparison.only_everslot_fails()),
        );
        print_set(
            "only everslot fails, as it should",
            &owned(comparison.explained()),
        );
        let skips = &comparison.only_everslot_skips;
        println!("  only everslot leaves out: {}", skips.len());
        skips.iter().for_each(|name| println!("    {name}"));
        self.0.push((suite.to_owned(), situation, comparison));
    }

    /// Whether everslot ran everything and fails no case that the bare member does not, but for those that it is to fail.
    pub(super) fn is_met(&self) -> bool {
        self.0.iter().all(|(_, _, comparison)| comparison.is_met())
    }

    /// A row for each suite and situation.
    pub(super) fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(presets::ASCII_MARKDOWN);
        table.set_header([
            "suite",
            "situation",
            "cases",
            "bare fails",
            "everslot fails",
            "only everslot fails",
            "as it should",
            "only everslot leaves out",
        ]);
        for (suite, situation, comparison) in &self.0 {
            let counts = [
                comparison.cases,
                comparison.bare_fails.len(),
                comparison.everslot_fails.len(),
                comparison.only_everslot_fails().count(),
                comparison.explained().count(),
                comparison.only_everslot_skips.len(),
            ];
            let names = [suite.clone(), situation.title().to_owned()];
            table.add_row(
                names
                    .into_iter()
                    .chain(counts.map(|count| count.to_string())),
            );
        }
        table
            .column_iter_mut()
            .skip(2)
            .for_each(|column| column.set_cell_alignment(CellAlignment::Right));
        table
    }
}

fn owned<'a>(set: impl Iterator<Item = (&'a str, &'a str)>) -> BTreeMap<String, String> {
    set.map(|(name, why)| (name.to_owned(), why.to_owned()))
        .collect()
}

fn print_set(title: &str, set: &BTreeMap<String, String>) {
    println!("  {title}: {}", set.len());
    for (name, why) in set {
        println!("    {name}: {why}");
    }
}
