//! Keys that come with more than their handle: the member puts further keys, IVs or a version into the mechanism's parameter.

use cryptoki_sys as ck;
use everslot_core::{Repeat, Rv, ckr};
use everslot_protocol::{Body, Mechanism, ObjectHandle, Reply, Request, SessionHandle, Template};

use super::create::took_effect;
use super::order::is_token;
use super::{Refusal, Session};
use crate::group::{Errand, Home, Lease, Stop};
use crate::module::Scratch;
use crate::module::parameter::{Returned, further_keys_are_token, makes_no_key_of_its_own};

/// What such a call gives.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Material {
    /// The virtual handle of the key; `None` where the mechanism makes none beside those in the parameter.
    pub key: Option<u64>,
    /// What belongs into the parameter, as [`Returned`] has it: virtual handles, then bytes.
    pub returned: Vec<u8>,
}

/// From what a key is made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Source {
    /// `C_GenerateKey`
    Nothing,
    /// `C_DeriveKey`, from this key.
    Key(u64),
}

impl Session {
    /// `C_GenerateKey` or `C_DeriveKey` with a mechanism in whose parameter the member gives something back, as `room` says.
    ///
    /// The keys stay on the member that made them, as all that is derived does. So where the group's token objects are on record, none of
    /// them can be one: nobody could carry it to the other members, or tell after a crash that it was made.
    ///
    /// # Errors
    /// As in [`derive_key`](Self::derive_key); `CKR_FUNCTION_FAILED` for a token key of a group that has a domain key.
    pub fn make_with_material(
        &self,
        source: Source,
        mechanism: Mechanism<'_>,
        template: Template<'_>,
        room: Returned,
    ) -> Result<Material, Rv> {
        let token = Tokens::of(&mechanism, template);
        let home = Home::of(token.all);
        let usage = match source {
            Source::Nothing => ck::CKF_GENERATE,
            Source::Key(_) => ck::CKF_DERIVE,
        };
        let eligible = self.slot.members_with(mechanism.kind, usage)?;
        let preferred = self.state()?.maker;
        self.may_change(token.any)?;
        if token.any {
            self.is_not_on_record()?;
        }
        let mut made = None;
        let mut send = |lease: &mut Lease| {
            let mut returned = vec![0; room.size()];
            let reply = self.send(lease, home, source, (mechanism, template), &mut returned)?;
            if let Body::KeyAndMaterial(key, _) = reply.body {
                let material = self.adopt_material(lease, (mechanism.kind, key), returned, room);
                made = Some((material.map_err(took_effect)?, lease.place().0));
            }
            Ok(reply)
        };
        let errand = Errand {
            preferred,
            ..Errand::among(eligible, Repeat::OnlyIfUndelivered)
        };
        let done = self.slot.driver.perform(errand, &mut send)?;
        Refusal::of(done.reply).map_err(|refusal| refusal.rv)?;
        let (material, maker) = made.ok_or(ckr::DEVICE_ERROR)?;
        self.own_all(&material.handles(room), Some(maker))?;
        Ok(material)
    }

    /// # Errors
    /// `CKR_FUNCTION_FAILED` in a group that has a domain key, `CKR_DEVICE_ERROR` when nobody can tell.
    fn is_not_on_record(&self) -> Result<(), Rv> {
        let driver = &self.slot.driver;
        let profiles = driver.keeper.profiles().map_err(|_| ckr::DEVICE_ERROR)?;
        if profiles.is_none() {
            return Ok(());
        }
        tracing::warn!(
            group = driver.config.label.as_str(),
            "token keys were not made: what such a mechanism makes stays on one member, and this group's token objects live on several; make them session keys"
        );
        Err(ckr::FUNCTION_FAILED)
    }

    fn send(
        &self,
        lease: &mut Lease,
        home: Home,
        source: Source,
        (mechanism, template): (Mechanism<'_>, Template<'_>),
        returned: &mut [u8],
    ) -> Result<Reply, Stop> {
        let base_key = match source {
            Source::Nothing => None,
            Source::Key(key) => Some(self.slot.locate(lease, key, ckr::KEY_HANDLE_INVALID)?),
        };
        let scratch = Scratch::default();
        let mechanism = self.slot.localise(lease, mechanism, &scratch)?;
        let request = |session: SessionHandle| match base_key {
            None => Request::GenerateKey {
                session,
                mechanism,
                template,
            },
            Some(base_key) => Request::DeriveKey {
                session,
                mechanism,
                base_key,
                template,
            },
        };
        Ok(lease.create_with_output(home, &request, returned)?)
    }

    /// The member's handles become virtual ones.
    fn adopt_material(
        &self,
        lease: &mut Lease,
        (mechanism, key): (u64, ObjectHandle),
        mut returned: Vec<u8>,
        room: Returned,
    ) -> Result<Material, Stop> {
        let key = if makes_no_key_of_its_own(mechanism) {
            None
        } else {
            Some(self.adopt(lease, key)?)
        };
        let keys = returned.get_mut(..room.key_bytes()).unwrap_or_default();
        for handle in keys.as_chunks_mut::<8>().0 {
            let members = u64::from_ne_bytes(*handle);
            // A key of no length is none: a TLS cipher may have no MAC.
            if members != ck::CK_INVALID_HANDLE {
                *handle = self.adopt(lease, ObjectHandle(members))?.to_ne_bytes();
            }
        }
        Ok(Material { key, returned })
    }
}

/// Which of the keys of such a call are to be token objects.
struct Tokens {
    any: bool,
    /// Those that are not go with a session, and so are made in an anchor.
    all: bool,
}

impl Tokens {
    fn of(mechanism: &Mechanism<'_>, template: Template<'_>) -> Self {
        let one = is_token(template).unwrap_or(false);
        further_keys_are_token(mechanism).fold(Self { any: one, all: one }, |tokens, further| {
            Self {
                any: tokens.any || further,
                all: tokens.all && further,
            }
        })
    }
}

impl Material {
    /// Every virtual handle in it.
    fn handles(&self, room: Returned) -> Vec<u64> {
        let keys = self.returned.get(..room.key_bytes()).unwrap_or_default();
        let (keys, _) = keys.as_chunks::<8>();
        let given = keys.iter().map(|handle| u64::from_ne_bytes(*handle));
        self.key
            .into_iter()
            .chain(given.filter(|handle| *handle != ck::CK_INVALID_HANDLE))
            .collect()
    }
}
