//! What a reconcile has found out about a member, and what it makes of it.

use super::catalogue::{PAGE, insert, put, set_holders};
use super::engine::Value;
use super::{
    Entries, Entry, Holder, Intent, Journal, JournalError, Object, ObjectId, Range, Revision,
    integer,
};

/// Something to be noted of one object.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Note {
    /// A member has it so.
    Holds(ObjectId, Holder),
    /// A member, by its name, does not have it.
    Lacks(ObjectId, String),
    /// A member has it, and the group did not know it: it is the group's, unless by now there is an object or a tombstone of its fingerprint, or an
    /// intent says that one of the group's is to become it.
    Adopt(Object, Holder),
}

impl Journal {
    /// Notes all of these in one step.
    ///
    /// # Errors
    /// See [`JournalError`]; so for all that follow.
    pub fn note(&mut self, notes: &[Note]) -> Result<(), JournalError> {
        if notes.is_empty() {
            return Ok(());
        }
        self.write(|statements| {
            for note in notes {
                match note {
                    // Of an object that was forgotten meanwhile nothing is to be noted.
                    Note::Holds(object, holder) => {
                        let sql = "SELECT 1 FROM object WHERE id = $1";
                        let known = statements.query(sql, &[Value::Bytes(&object.0)])?;
                        if !known.is_empty() {
                            set_holders(statements, *object, std::slice::from_ref(holder))?;
                        }
                    }
                    Note::Lacks(object, member) => {
                        let sql = "DELETE FROM holder WHERE object = $1 AND member = $2";
                        statements.execute(sql, &[Value::Bytes(&object.0), Value::Text(member)])?;
                    }
                    Note::Adopt(object, holder) => {
                        let sql = "SELECT 1 FROM object WHERE fingerprint = $1
                                   UNION ALL SELECT 1 FROM intent WHERE fingerprint = $1";
                        let fingerprint = Value::Bytes(&object.fingerprint.0);
                        if statements.query(sql, &[fingerprint])?.is_empty() {
                            insert(statements, object)?;
                            set_holders(statements, object.id, std::slice::from_ref(holder))?;
                        }
                    }
                }
            }
            Ok(())
        })
    }

    /// What a member has becomes the group's revision of an object. `false`: it has another revision than `instead_of` by now, or a tombstone.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn adopt_change(
        &mut self,
        object: &Object,
        instead_of: Revision,
        member: &str,
    ) -> Result<bool, JournalError> {
        let holder = Holder {
            member: member.to_owned(),
            revision: Some(object.revision),
        };
        self.write(|statements| {
            let sql = "SELECT 1 FROM object WHERE id = $1 AND revision = $2 AND gone = 0";
            let values = [Value::Bytes(&object.id.0), Value::Bytes(&instead_of.0)];
            if statements.query(sql, &values)?.is_empty() {
                return Ok(false);
            }
            insert(statements, object)?;
            set_holders(statements, object.id, std::slice::from_ref(&holder))?;
            Ok(true)
        })
    }

    /// Whether something is on record that the member is to be brought in step with: it may hold what was destroyed, or hold otherwise what has
    /// changed; it lacks what was made since it was last [found equal](Self::set_equal), where `all` objects are to be on it; or an intent names it.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn is_behind(&mut self, member: &str, all: bool) -> Result<bool, JournalError> {
        let names = |intent: &Intent| intent.members.iter().any(|name| name == member);
        if self.intents()?.iter().any(names) {
            return Ok(true);
        }
        let sql = "SELECT 1 FROM object LEFT JOIN holder ON holder.object = object.id AND holder.member = $1
                   WHERE (object.gone = 1 AND holder.member IS NOT NULL)
                   OR (object.gone = 0 AND holder.member IS NOT NULL
                       AND (holder.revision IS NULL OR holder.revision <> object.revision))
                   OR (object.gone = 0 AND holder.member IS NULL AND CAST($2 AS BIGINT) = 1
                       AND object.sequence > COALESCE((SELECT upto FROM equal WHERE equal.member = $1), 0)) LIMIT 1";
        let values = [Value::Text(member), Value::Integer(i64::from(all))];
        self.read(|statements| Ok(!statements.query(sql, &values)?.is_empty()))
    }

    /// Notes that a member's objects were found to be the group's, up to this number.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn set_equal(&mut self, member: &str, upto: u64) -> Result<(), JournalError> {
        let sql = "INSERT INTO equal (member, upto) VALUES ($1, $2)
                   ON CONFLICT (member) DO UPDATE SET upto = excluded.upto";
        let values = [Value::Text(member), Value::Integer(upto.cast_signed())];
        // What was destroyed by then it has not, whether it went just now or before.
        let gone = "DELETE FROM holder WHERE member = $1
                    AND object IN (SELECT id FROM object WHERE gone = 1 AND sequence <= $2)";
        self.write(|statements| {
            statements.execute(sql, &values)?;
            statements.execute(gone, &values).map(drop)
        })
    }

    /// Forgets the tombstones that every one of these members, which are all of the group's, was found equal beyond, and that none is on record to
    /// hold.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn forget_gone(&mut self, members: &[String]) -> Result<(), JournalError> {
        self.write(|statements| {
            let mut upto = i64::MAX;
            for member in members {
                let sql = "SELECT upto FROM equal WHERE member = $1";
                let rows = statements.query(sql, &[Value::Text(member)])?;
                upto = upto.min(rows.first().map_or(0, |row| integer(row, 0)));
            }
            let sql = "DELETE FROM object WHERE gone = 1 AND sequence <= $1
                       AND NOT EXISTS (SELECT 1 FROM holder WHERE holder.object = object.id)
                       AND NOT EXISTS (SELECT 1 FROM intent WHERE intent.object = object.id)";
            statements.execute(sql, &[Value::Integer(upto)]).map(drop)
        })
    }

    /// How many objects there are that are not gone.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn live(&mut self) -> Result<u64, JournalError> {
        self.read(|statements| {
            let rows = statements.query("SELECT COUNT(*) FROM object WHERE gone = 0", &[])?;
            Ok(rows
                .first()
                .map_or(0, |row| integer(row, 0))
                .cast_unsigned())
        })
    }

    /// A temporary journal that says what this one says of objects, so that something can be tried on it.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn duplicate(&mut self) -> Result<Self, JournalError> {
        let mut copy = Self::with(Box::new(super::sqlite::Sqlite::temporary()?))?;
        let sequence = self.sequence()?;
        let mut entries = Entries::new(Range::default());
        let mut page: Vec<Entry> = Vec::new();
        loop {
            let next = entries.next(self)?;
            let ended = next.is_none();
            page.extend(next);
            if ended || page.len() >= PAGE as usize {
                copy.take_over(&page, sequence)?;
                page.clear();
            }
            if ended {
                return Ok(copy);
            }
        }
    }

    fn take_over(&mut self, entries: &[Entry], counted: u64) -> Result<(), JournalError> {
        self.write(|statements| {
            for entry in entries {
                let object = &entry.object;
                put(statements, object, entry.sequence.cast_signed())?;
                set_holders(statements, object.id, &entry.holders)?;
                let sql = "UPDATE object SET gone = $2 WHERE id = $1";
                let gone = Value::Integer(i64::from(entry.gone));
                statements.execute(sql, &[Value::Bytes(&object.id.0), gone])?;
            }
            let sql = "UPDATE counter SET value = $1";
            statements
                .execute(sql, &[Value::Integer(counted.cast_signed())])
                .map(drop)
        })
    }
}
