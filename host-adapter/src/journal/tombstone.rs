//! What is left on record of an object that is gone, or that is known by something else now.

use super::catalogue::{COLUMNS, set_holders, set_unclear};
use super::engine::{Statements, Value};
use super::{
    Fingerprint, Holder, JournalError, Object, ObjectId, Revision, bytes, count, integer, optional,
    text,
};

/// Makes a tombstone of a live object, or takes that back; whether there was one to do it to.
pub(super) fn entomb(
    statements: &mut dyn Statements,
    object: ObjectId,
    gone: bool,
) -> Result<bool, JournalError> {
    let sequence = count(statements)?;
    let values = [
        Value::Bytes(&object.0),
        Value::Integer(i64::from(gone)),
        Value::Integer(sequence),
    ];
    let sql = "UPDATE object SET gone = $2, sequence = $3 WHERE id = $1 AND gone <> $2";
    Ok(statements.execute(sql, &values)? > 0)
}

/// Leaves a tombstone for what an object was known by, if that is another fingerprint now: it is held by those of its holders that have not
/// made the change (`done`). A fingerprint that another live object has as well tells nothing.
pub(super) fn entomb_former(
    statements: &mut dyn Statements,
    object: &Object,
    done: &[String],
) -> Result<(), JournalError> {
    let id = Value::Bytes(&object.id.0);
    let former =
        "SELECT fingerprint, class, revision, bare FROM object WHERE id = $1 AND fingerprint <> $2";
    let rows = statements.query(former, &[id, Value::Bytes(&object.fingerprint.0)])?;
    let Some((former, class, revision, bare)) = rows.first().and_then(|row| {
        let fingerprint: [u8; 16] = bytes(row, 0)?;
        let bare = bytes::<16>(row, 3);
        Some((fingerprint, integer(row, 1), bytes::<8>(row, 2)?, bare))
    }) else {
        return Ok(());
    };
    let mark = Mark {
        fingerprint: former,
        bare,
        class,
        revision,
    };
    let Some(tombstone) = tombstone_of(statements, object.id, &mark)? else {
        return Ok(());
    };
    let holders = "SELECT member, revision FROM holder WHERE object = $1";
    for row in statements.query(holders, &[id])? {
        let (member, revision) = (text(&row, 0).to_owned(), bytes(&row, 1).map(Revision));
        if !done.contains(&member) {
            let gone = "DELETE FROM holder WHERE object = $1 AND member = $2";
            statements.execute(gone, &[id, Value::Text(&member)])?;
            set_holders(statements, tombstone, &[Holder { member, revision }])?;
        }
    }
    Ok(())
}

/// Leaves a tombstone for what an object might have become, which these members may have it as.
pub(super) fn entomb_unborn(
    statements: &mut dyn Statements,
    object: ObjectId,
    fingerprint: Fingerprint,
    members: &[String],
) -> Result<(), JournalError> {
    let sql = "SELECT class, revision FROM object WHERE id = $1";
    let rows = statements.query(sql, &[Value::Bytes(&object.0)])?;
    let mark = rows.first().and_then(|row| {
        Some(Mark {
            fingerprint: fingerprint.0,
            bare: None,
            class: integer(row, 0),
            revision: bytes(row, 1)?,
        })
    });
    let Some(mark) = mark else {
        return Ok(());
    };
    match tombstone_of(statements, object, &mark)? {
        Some(tombstone) => set_unclear(statements, tombstone, members),
        None => Ok(()),
    }
}

/// What a tombstone is of.
struct Mark {
    fingerprint: [u8; 16],
    bare: Option<[u8; 16]>,
    class: i64,
    revision: [u8; 8],
}

/// The tombstone of a fingerprint that `object` has not, put up if there is none; none where another live object has it as well.
fn tombstone_of(
    statements: &mut dyn Statements,
    object: ObjectId,
    mark: &Mark,
) -> Result<Option<ObjectId>, JournalError> {
    let (of, object) = (Value::Bytes(&mark.fingerprint), Value::Bytes(&object.0));
    let others = "SELECT id, gone FROM object WHERE fingerprint = $1 AND id <> $2 ORDER BY gone";
    let others = statements.query(others, &[of, object])?;
    let tombstone = match others.first() {
        Some(row) if integer(row, 1) == 0 => return Ok(None),
        Some(row) => bytes(row, 0).map(ObjectId),
        None => ObjectId::random(),
    };
    let Some(tombstone) = tombstone else {
        return Ok(None);
    };
    let sequence = Value::Integer(count(statements)?);
    let sql = format!(
        "INSERT INTO object ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, NULL, 1, $6)
         ON CONFLICT (id) DO UPDATE SET sequence = excluded.sequence"
    );
    let values = [
        Value::Bytes(&tombstone.0),
        of,
        optional(mark.bare.as_ref().map(|bare| &bare[..])),
        Value::Integer(mark.class),
        Value::Bytes(&mark.revision),
        sequence,
    ];
    statements.execute(&sql, &values)?;
    Ok(Some(tombstone))
}
