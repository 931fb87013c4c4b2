//! Gives all members of a group a new domain key.

use super::call::CallError;
use super::key::{Invitation, KeyName, Received, Seed};
use super::token::Token;
use super::trust::Pins;

/// A member to be given the domain key.
pub struct Recipient<'r, 'l> {
    /// Its token, with the user logged in.
    pub token: &'r mut Token<'l>,
    /// With them the security officer has the key trusted; then the session must be the token's only one.
    pub pins: Option<Pins<'r>>,
}

/// A member did not take part, so no member has the new key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{error}")]
pub struct EstablishError {
    /// Which of the members.
    pub member: usize,
    /// What happened.
    pub error: CallError,
}

/// Makes a domain key on the first member and carries it to all of them; the keys are in the members' order. Earlier keys stay.
///
/// # Errors
/// A member gives no answer, or refuses. The new key is destroyed again wherever it was, as far as the members can be reached.
pub fn establish(
    members: &mut [Recipient<'_, '_>],
    name: &KeyName,
) -> Result<Vec<Received>, EstablishError> {
    let Some(maker) = members.first_mut() else {
        return Ok(Vec::new());
    };
    let of = |member| move |error| EstablishError { member, error };
    let seed = Seed::make(maker.token).map_err(of(0))?;
    let mut received = vec![None; members.len()];
    let mut outcome = Ok(());
    // The maker last: where its officer logs in, the user's logout takes the seed away.
    for index in (0..members.len()).rev() {
        match hand_over(&seed, members, index, name) {
            Ok(key) => received[index] = Some(key),
            Err(error) => {
                outcome = Err(error);
                break;
            }
        }
    }
    // A session object: one that cannot be destroyed goes with its session.
    let _ = seed.discard(members[0].token);
    if outcome.is_err() {
        for (member, received) in members.iter_mut().zip(&received) {
            // The first failure is the one to be told; the next attempt finds what is left and destroys it.
            let _ = received.map(|received| member.token.destroy(received.key));
        }
    }
    outcome.map(|()| received.into_iter().flatten().collect())
}

fn hand_over(
    seed: &Seed,
    members: &mut [Recipient<'_, '_>],
    index: usize,
    name: &KeyName,
) -> Result<Received, EstablishError> {
    let of = |member| move |error| EstablishError { member, error };
    let receiver = &mut members[index];
    let pins = receiver.pins;
    let invitation = Invitation::make(receiver.token, pins.is_none()).map_err(of(index))?;
    let wrapped = seed.wrap(members[0].token, &invitation).map_err(of(0))?;
    let receiver = &mut members[index];
    invitation
        .accept(receiver.token, &wrapped, name, pins)
        .map_err(of(index))
}
