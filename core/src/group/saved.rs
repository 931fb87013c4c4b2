//! The places of a group in a trace: only as many as have ever been taken, since most of a group's places never are.

use heapless::Vec;
use serde::{Deserialize as _, Deserializer, Serializer};

use super::Place;

pub(super) fn serialize<S: Serializer, const MEMBERS: usize>(
    places: &[Place; MEMBERS],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let used = places.iter().rposition(|place| *place != Place::VACANT);
    let used = used.map_or(0, |last| last.saturating_add(1));
    serializer.collect_seq(places.iter().take(used))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>, const MEMBERS: usize>(
    deserializer: D,
) -> Result<[Place; MEMBERS], D::Error> {
    let used = Vec::<Place, MEMBERS>::deserialize(deserializer)?;
    let mut places = [Place::VACANT; MEMBERS];
    for (place, was) in places.iter_mut().zip(used) {
        *place = was;
    }
    Ok(places)
}
