//! Intents, from the record to what becomes of them.

use super::catalogue::{insert, set_holders, set_unclear};
use super::engine::{Row, Statements, Value};
use super::tombstone::{entomb, entomb_former, entomb_unborn};
use super::{
    Fingerprint, Holder, Intent, IntentKind, Journal, JournalError, Object, ObjectId, Plant, bytes,
    integer, optional, text,
};

const COLUMNS: &str = "mark, attempt, kind, members, object, fingerprint, owner";

impl Journal {
    /// Records what is to be done before it is. Of a destruction, the tombstone takes the object's place in the same step (S9).
    ///
    /// `false`: there is no such object, or its tombstone, so nothing is recorded.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn record(&mut self, intent: &Intent) -> Result<bool, JournalError> {
        self.write(|statements| {
            if let Some(object) = intent.object {
                let lives = match intent.kind {
                    IntentKind::Destroy => entomb(statements, object, true)?,
                    IntentKind::Create | IntentKind::Update => is_live(statements, object)?,
                };
                if !lives {
                    return Ok(false);
                }
            }
            put(statements, intent)?;
            Ok(true)
        })
    }

    /// Every intent that stands, in the order of their names.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn intents(&mut self) -> Result<Vec<Intent>, JournalError> {
        self.read(|statements| {
            let sql = format!("SELECT {COLUMNS} FROM intent ORDER BY mark, attempt");
            Ok(statements.query(&sql, &[])?.iter().map(intent).collect())
        })
    }

    /// Takes an intent over from its owner, as one of many that may want to: whether it was still that owner's.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn claim(&mut self, plant: Plant, owner: &str, by: &str) -> Result<bool, JournalError> {
        let [mark, attempt] = name(plant);
        let sql = "UPDATE intent SET owner = $4 WHERE mark = $1 AND attempt = $2 AND owner = $3";
        let values = [mark, attempt, Value::Text(owner), Value::Text(by)];
        self.write(|statements| Ok(statements.execute(sql, &values)? > 0))
    }

    /// Leaves an intent, if it still stands, to whoever comes to resume it.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn disown(&mut self, plant: Plant) -> Result<(), JournalError> {
        let sql = "UPDATE intent SET owner = '' WHERE mark = $1 AND attempt = $2";
        self.write(|statements| statements.execute(sql, &name(plant)).map(drop))
    }

    /// A creation is made: the objects, each with those who hold it, are the group's. The intent goes, but for the members `unclear`, where it
    /// stands until they are cleaned. Doing it twice is the same as once. An earlier tombstone of such an object goes.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn commit_creation(
        &mut self,
        plant: Plant,
        objects: &[(Object, Vec<Holder>)],
        unclear: &[String],
    ) -> Result<(), JournalError> {
        self.write(|statements| {
            for (object, holders) in objects {
                insert(statements, object)?;
                set_holders(statements, object.id, holders)?;
            }
            narrow(statements, plant, unclear)
        })
    }

    /// An update is made: the object has this identity and revision, which `done` hold; `unclear` hold it in a way that is not known. The intent
    /// goes. `false`: the object is gone by now. Where the object is known by another fingerprint now, a tombstone takes the former one, so that a
    /// member that was away does not bring it back under that (S9).
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn commit_update(
        &mut self,
        plant: Plant,
        object: &Object,
        done: &[String],
        unclear: &[String],
    ) -> Result<bool, JournalError> {
        self.write(|statements| {
            narrow(statements, plant, &[])?;
            if !is_live(statements, object.id)? {
                return Ok(false);
            }
            entomb_former(statements, object, done)?;
            insert(statements, object)?;
            let revision = Some(object.revision);
            for member in done {
                let member = member.clone();
                set_holders(statements, object.id, &[Holder { member, revision }])?;
            }
            set_unclear(statements, object.id, unclear)?;
            supersede(statements, object.id, done)?;
            Ok(true)
        })
    }

    /// An update that was interrupted is settled on what `done` have: as [`commit_update`](Self::commit_update), unless they are on record to have the
    /// object as it was before others changed it, and have it so. Then it was not made, and they are behind.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn settle_update(
        &mut self,
        plant: Plant,
        object: &Object,
        done: &[String],
        unclear: &[String],
    ) -> Result<bool, JournalError> {
        let entry = self.entry(object.id)?;
        let are_behind = entry.is_some_and(|entry| {
            let has = Some(object.revision);
            let behind = |holder: &Holder| done.contains(&holder.member) && holder.revision == has;
            entry.object.revision != object.revision
                && entry.object.fingerprint == object.fingerprint
                && entry.holders.iter().filter(|holder| behind(holder)).count() == done.len()
        });
        if are_behind {
            self.retract(plant, &[])?;
            return Ok(true);
        }
        self.commit_update(plant, object, done, unclear)
    }

    /// A destruction is made at `done`; the intent goes, the tombstone stays.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn commit_destruction(
        &mut self,
        plant: Plant,
        object: ObjectId,
        done: &[String],
    ) -> Result<(), JournalError> {
        self.write(|statements| {
            for member in done {
                let sql = "DELETE FROM holder WHERE object = $1 AND member = $2";
                statements.execute(sql, &[Value::Bytes(&object.0), Value::Text(member)])?;
            }
            leave_update(statements, plant)?;
            supersede(statements, object, &[])?;
            narrow(statements, plant, &[])
        })
    }

    /// Takes a change back. Of a creation the intent stands for the members `left` until they are cleaned; of an update these hold the object in a
    /// way that is not known; of a destruction the object is live again. An intent that is not there: nothing is done.
    ///
    /// Where nobody but the members `left` is on record to have the object as the group has it, only they can tell what it is now: they stay on
    /// record, the intent stands for them, and whoever resumes it goes by what they have. So it does where the object may be known by another
    /// fingerprint at the members `left` and nobody else was asked; where others were, and have it as it was, there is a tombstone of that.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn retract(&mut self, plant: Plant, left: &[String]) -> Result<(), JournalError> {
        self.write(|statements| {
            let sql = format!("SELECT {COLUMNS} FROM intent WHERE mark = $1 AND attempt = $2");
            let rows = statements.query(&sql, &name(plant))?;
            let Some(intent) = rows.first().map(intent) else {
                return Ok(());
            };
            match (intent.kind, intent.object) {
                (IntentKind::Create, _) | (_, None) => narrow(statements, plant, left),
                (IntentKind::Update, Some(object)) => {
                    let doubted = doubted(statements, object, left)?;
                    let others = left.iter().filter(|name| !doubted.contains(name));
                    let others: Vec<String> = others.cloned().collect();
                    set_unclear(statements, object, &others)?;
                    if !doubted.is_empty() {
                        return narrow(statements, plant, &doubted);
                    }
                    let stands = leaves_unknown(statements, object, &intent, left)?;
                    narrow(statements, plant, if stands { left } else { &[] })
                }
                (IntentKind::Destroy, Some(object)) => {
                    entomb(statements, object, false)?;
                    narrow(statements, plant, &[])
                }
            }
        })
    }
}

/// Which of these members alone can tell what the object is now: nobody else is on record to have it as the group has it.
fn doubted(
    statements: &mut dyn Statements,
    object: ObjectId,
    members: &[String],
) -> Result<Vec<String>, JournalError> {
    let sql = "SELECT member FROM object JOIN holder ON holder.object = object.id
               WHERE id = $1 AND gone = 0 AND holder.revision = object.revision";
    let current = statements.query(sql, &[Value::Bytes(&object.0)])?;
    let current: Vec<String> = current.iter().map(|row| text(row, 0).to_owned()).collect();
    if current.iter().all(|member| members.contains(member)) {
        Ok(current)
    } else {
        Ok(Vec::new())
    }
}

/// What was in doubt of an object is of no interest once it has changed, or is gone: its intent goes, and those who were to tell follow. What they
/// may have it as, they are not to bring back (S9).
fn supersede(
    statements: &mut dyn Statements,
    object: ObjectId,
    done: &[String],
) -> Result<(), JournalError> {
    let sql =
        format!("SELECT {COLUMNS} FROM intent WHERE object = $1 AND kind = $2 AND owner = ''");
    let values = [
        Value::Bytes(&object.0),
        Value::Text(IntentKind::Update.name()),
    ];
    for row in &statements.query(&sql, &values)? {
        let stale = intent(row);
        let follow = stale.members.iter().filter(|name| !done.contains(name));
        let follow: Vec<String> = follow.cloned().collect();
        set_unclear(statements, object, &follow)?;
        if let Some(becomes) = stale.fingerprint
            && !is_known_as(statements, object, becomes)?
        {
            entomb_unborn(statements, object, becomes, &follow)?;
        }
        narrow(statements, stale.plant, &[])?;
    }
    Ok(())
}

fn is_known_as(
    statements: &mut dyn Statements,
    object: ObjectId,
    fingerprint: Fingerprint,
) -> Result<bool, JournalError> {
    let sql = "SELECT 1 FROM object WHERE id = $1 AND fingerprint = $2";
    let values = [Value::Bytes(&object.0), Value::Bytes(&fingerprint.0)];
    Ok(!statements.query(sql, &values)?.is_empty())
}

/// Sees to an object that an update which is taken back may have given another fingerprint at the members `left`. Whether only they can tell what
/// it is now.
fn leaves_unknown(
    statements: &mut dyn Statements,
    object: ObjectId,
    intent: &Intent,
    left: &[String],
) -> Result<bool, JournalError> {
    let Some(becomes) = intent.fingerprint.filter(|_| !left.is_empty()) else {
        return Ok(false);
    };
    let sql = "SELECT member FROM object JOIN holder ON holder.object = object.id
               WHERE id = $1 AND gone = 0 AND fingerprint <> $2";
    let values = [Value::Bytes(&object.0), Value::Bytes(&becomes.0)];
    let holders = statements.query(sql, &values)?;
    let mut holders = holders.iter().map(|row| text(row, 0).to_owned());
    if holders.len() == 0 {
        return Ok(false);
    }
    if !holders.any(|holder| intent.members.contains(&holder) && !left.contains(&holder)) {
        return Ok(true);
    }
    entomb_unborn(statements, object, becomes, left)?;
    Ok(false)
}

fn put(statements: &mut dyn Statements, intent: &Intent) -> Result<(), JournalError> {
    let [mark, attempt] = name(intent.plant);
    let sql = format!(
        "INSERT INTO intent ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (mark, attempt) DO UPDATE SET members = excluded.members, owner = excluded.owner"
    );
    let members = intent.members.join(",");
    let values = [
        mark,
        attempt,
        Value::Text(intent.kind.name()),
        Value::Text(&members),
        optional(intent.object.as_ref().map(|id| &id.0[..])),
        optional(
            intent
                .fingerprint
                .as_ref()
                .map(|fingerprint| &fingerprint.0[..]),
        ),
        Value::Text(&intent.owner),
    ];
    statements.execute(&sql, &values).map(drop)
}

/// Leaves an update to whoever comes to resume it.
fn leave_update(statements: &mut dyn Statements, plant: Plant) -> Result<(), JournalError> {
    let [mark, attempt] = name(plant);
    let sql = "UPDATE intent SET owner = '' WHERE mark = $1 AND attempt = $2 AND kind = $3";
    let update = Value::Text(IntentKind::Update.name());
    statements.execute(sql, &[mark, attempt, update]).map(drop)
}

/// Leaves the intent to stand for these members only, and to whoever comes to resume it; for none it goes.
fn narrow(
    statements: &mut dyn Statements,
    plant: Plant,
    members: &[String],
) -> Result<(), JournalError> {
    let [mark, attempt] = name(plant);
    if members.is_empty() {
        let sql = "DELETE FROM intent WHERE mark = $1 AND attempt = $2";
        return statements.execute(sql, &[mark, attempt]).map(drop);
    }
    let members = members.join(",");
    let sql = "UPDATE intent SET members = $3, owner = '' WHERE mark = $1 AND attempt = $2";
    statements
        .execute(sql, &[mark, attempt, Value::Text(&members)])
        .map(drop)
}

fn is_live(statements: &mut dyn Statements, object: ObjectId) -> Result<bool, JournalError> {
    let sql = "SELECT gone FROM object WHERE id = $1 AND gone = 0";
    Ok(!statements
        .query(sql, &[Value::Bytes(&object.0)])?
        .is_empty())
}

/// The database's integers have a sign; what stands in them is the same 64 bits.
const fn name(plant: Plant) -> [Value<'static>; 2] {
    [
        Value::Integer(plant.mark.cast_signed()),
        Value::Integer(plant.attempt as i64),
    ]
}

fn intent(row: &Row) -> Intent {
    let members = text(row, 3).split(',').filter(|name| !name.is_empty());
    Intent {
        plant: Plant {
            mark: integer(row, 0).cast_unsigned(),
            attempt: u8::try_from(integer(row, 1)).unwrap_or(u8::MAX),
        },
        kind: IntentKind::of_name(text(row, 2)),
        members: members.map(str::to_owned).collect(),
        object: bytes(row, 4).map(ObjectId),
        fingerprint: bytes(row, 5).map(Fingerprint),
        owner: text(row, 6).to_owned(),
    }
}

impl IntentKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Destroy => "destroy",
        }
    }

    fn of_name(name: &str) -> Self {
        match name {
            "update" => Self::Update,
            "destroy" => Self::Destroy,
            _ => Self::Create,
        }
    }
}
