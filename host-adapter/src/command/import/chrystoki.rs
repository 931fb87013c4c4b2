//! The file of a Luna client: sections of settings, `Section = { Name = value; }` on Unix and `[Section]` with `Name=value` on Windows.

/// A setting.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Setting {
    pub(super) section: String,
    pub(super) name: String,
    pub(super) value: String,
}

/// Settings that nobody has taken yet, in the order of the file.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Chrystoki(Vec<Setting>);

impl Chrystoki {
    /// Reads the text of such a file.
    ///
    /// # Errors
    /// The line that is neither a section nor a setting.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut settings = Vec::new();
        let mut section = String::new();
        for (number, line) in (1..).zip(text.lines()) {
            let mut rest = line.trim();
            if rest.starts_with(['#', ';']) {
                continue;
            }
            if let Some(name) = rest
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'))
            {
                section = name.trim().to_owned();
                continue;
            }
            // A section may begin, or end, on the line of a setting.
            if let Some((head, after)) = rest.split_once('{') {
                section = head.trim().trim_end_matches('=').trim().to_owned();
                rest = after.trim();
            }
            let is_last = rest.ends_with('}');
            for setting in rest.trim_end_matches('}').split(';').map(str::trim) {
                if setting.is_empty() {
                    continue;
                }
                let (name, value) = setting.split_once('=').ok_or_else(|| {
                    format!("line {number}: {setting:?} is neither a section nor a setting")
                })?;
                settings.push(Setting {
                    section: section.clone(),
                    name: name.trim().to_owned(),
                    value: value.trim().to_owned(),
                });
            }
            if is_last {
                section.clear();
            }
        }
        Ok(Self(settings))
    }

    /// Takes a setting out; Luna's names are the same in capitals or not.
    pub(super) fn take(&mut self, section: &str, name: &str) -> Option<String> {
        let is_it = |setting: &Setting| {
            setting.section.eq_ignore_ascii_case(section) && setting.name.eq_ignore_ascii_case(name)
        };
        let place = self.0.iter().position(is_it)?;
        Some(self.0.remove(place).value)
    }

    /// What nobody has taken.
    pub(super) fn rest(self) -> Vec<Setting> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        let unix = "# Luna\nLunaSA Client = {\n   ReceiveTimeout = 20000;\n   ServerName00=hsm; }\nMisc={PE1746Enabled=0;}\n";
        let windows = "[LunaSA Client]\r\nReceiveTimeout=20000\r\nServerName00=hsm\r\n[Misc]\r\nPE1746Enabled=0\r\n";
        for text in [unix, windows] {
            let mut read = Chrystoki::parse(text).expect("it is one");
            assert_eq!(
                read.take("lunasa client", "receivetimeout").as_deref(),
                Some("20000")
            );
            assert_eq!(read.take("LunaSA Client", "ReceiveTimeout"), None);
            let rest: Vec<_> = read
                .rest()
                .into_iter()
                .map(|left| (left.section, left.name, left.value))
                .collect();
            let left = |section: &str, name: &str, value: &str| {
                (section.to_owned(), name.to_owned(), value.to_owned())
            };
            assert_eq!(
                rest,
                [
                    left("LunaSA Client", "ServerName00", "hsm"),
                    left("Misc", "PE1746Enabled", "0")
                ]
            );
        }
    }

    #[test]
    fn a_line_that_is_nothing_is_said() {
        let refused =
            Chrystoki::parse("VirtualToken = {\n  what;\n}\n").expect_err("it is nothing");
        assert_eq!(
            refused,
            "line 2: \"what\" is neither a section nor a setting"
        );
    }
}
