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

#[test]
fn a_member_is_parked_and_comes_back_in_the_text_as_it_was() {
    let parked = edited(TWO, |document| set_parked(document, "g", "a", true));
    assert_eq!(
        parked,
        TWO.replace("# for now\n", "# for now\nparked = true\n")
    );
    let back = edited(&parked, |document| set_parked(document, "g", "a", false));
    assert_eq!(back, TWO);
}

#[test]
fn a_member_without_a_name_gets_one_that_is_free() {
    let names = || ["a", "c"].map(str::to_owned).into_iter();
    let mut keys = Table::new();
    keys["module"] = value("/m.so");
    let text = edited(TWO, |document| {
        let name = add_table(document, "g", names(), keys.clone())?;
        assert_eq!(name, "c");
        let taken = add_table(document, "g", names(), keys.clone());
        assert!(taken.is_err_and(|error| error.contains("of that name")));
        Ok(())
    });
    let expected = TWO.replace(
        "# for now\n",
        "# for now\n\n[[group.member]]\nname = \"c\"\nmodule = \"/m.so\"\n",
    );
    assert_eq!(text, expected);
}

#[test]
fn only_who_is_there_can_be_removed_or_parked() {
    let mut document: DocumentMut = TWO.parse().expect("it is TOML");
    let none = Err("group \"g\" has no member \"b\"".to_owned());
    assert_eq!(remove_member(&mut document, "g", "b"), none);
    assert_eq!(set_parked(&mut document, "g", "b", true), none);
    assert_eq!(document.to_string(), TWO);
}
