//! The members' profiles, kept from one trial to the next.

use std::collections::BTreeMap;

use super::engine::Value;
use super::{Journal, JournalError, text};
use crate::domain::profile::Profile;

impl Journal {
    /// Puts the profiles of a trial in the place of all that there were.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn set_profiles(
        &mut self,
        profiles: &BTreeMap<String, Profile>,
    ) -> Result<(), JournalError> {
        self.write(|statements| {
            statements.execute("DELETE FROM profile", &[])?;
            for (member, profile) in profiles {
                // It is made of numbers and names: there is nothing that JSON could refuse.
                let written = serde_json::to_string(profile).unwrap_or_default();
                statements.execute(
                    "INSERT INTO profile (member, profile) VALUES ($1, $2)",
                    &[Value::Text(member), Value::Text(&written)],
                )?;
            }
            Ok(())
        })
    }

    /// The profiles by the members' names; one that cannot be read is left out, as if it had not been found yet.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn profiles(&mut self) -> Result<BTreeMap<String, Profile>, JournalError> {
        self.read(|statements| {
            let rows = statements.query("SELECT member, profile FROM profile", &[])?;
            let profile = |row| {
                let profile = serde_json::from_str(text(row, 1)).ok()?;
                Some((text(row, 0).to_owned(), profile))
            };
            Ok(rows.iter().filter_map(profile).collect())
        })
    }
}
