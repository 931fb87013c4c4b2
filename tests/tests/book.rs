//! The book in `docs/` and the README lead nowhere that is not there, and name no command that there is not.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use everslot_tests::Artifact;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn pages() -> Vec<PathBuf> {
    let docs = fs::read_dir(root().join("docs")).expect("the book is there");
    let docs = docs.map(|entry| entry.expect("an entry").path());
    let pages = docs.filter(|path| path.extension().is_some_and(|kind| kind == "md"));
    pages.chain([root().join("README.md")]).collect()
}

fn text(page: &Path) -> String {
    fs::read_to_string(page).unwrap_or_else(|error| panic!("{}: {error}", page.display()))
}

/// Where the links of a page lead, but for other sites.
fn links(text: &str) -> Vec<&str> {
    let parts = text.split("](").skip(1);
    let links = parts.filter_map(|rest| rest.split_once(')')?.0.split('#').next());
    links
        .filter(|link| !link.is_empty() && !link.contains("://"))
        .collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut count = 0;
    for page in pages() {
        let text = text(&page);
        for link in links(&text) {
            let place = page.parent().expect("a directory").join(link);
            assert!(place.exists(), "{}: {link}", page.display());
            count += 1;
        }
    }
    assert!(count >= 8, "{count} links");
}

#[test]
fn every_page_is_in_the_book() {
    let summary = text(&root().join("docs/SUMMARY.md"));
    let listed: BTreeSet<_> = links(&summary).into_iter().map(str::to_owned).collect();
    let written: BTreeSet<_> = pages()
        .iter()
        .filter(|page| page.parent().is_some_and(|parent| parent.ends_with("docs")))
        .map(|page| {
            page.file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned()
        })
        .filter(|name| name != "SUMMARY.md")
        .collect();
    assert_eq!(listed, written);
}

/// The commands that stand in blocks of code or in `code`, as far as their words are commands and no arguments.
fn commands(text: &str) -> BTreeSet<Vec<String>> {
    let blocks = text.split("```").skip(1).step_by(2).flat_map(str::lines);
    let prose = text.split("```").step_by(2);
    let typed = blocks.chain(prose.flat_map(|prose| prose.split('`').skip(1).step_by(2)));
    let typed = typed.filter_map(|line| line.trim_start().strip_prefix("everslot "));
    // A line of what `everslot status` prints.
    let typed = typed.filter(|line| !line.starts_with("in "));
    typed
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let is_word = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase() || c == '-');
            let command = words.next().filter(is_word)?.to_owned();
            let sub = matches!(command.as_str(), "member" | "domain");
            let sub = words.next().filter(is_word).filter(|_| sub);
            Some(
                [Some(command), sub.map(str::to_owned)]
                    .into_iter()
                    .flatten()
                    .collect(),
            )
        })
        .collect()
}

#[test]
fn every_command_that_is_named_is_there() {
    let named: BTreeSet<_> = pages()
        .iter()
        .flat_map(|page| commands(&text(page)))
        .collect();
    assert!(named.len() >= 15, "{named:?}");
    for words in named {
        let help = Command::new(Artifact::Command.path())
            .args(&words)
            .arg("--help")
            .output();
        let help = help.expect("it was built");
        assert!(help.status.success(), "everslot {}", words.join(" "));
    }
}
