//! The application of a process: one session, in which it is logged in.

use std::sync::Arc;

use cryptoki_sys as ck;
use everslot_core::Rv;

use super::super::token::PIN;
use super::script::Wish;
use super::world::{application, object};
use crate::domain::Attributes;
use crate::group::GroupDriver;
use crate::slot::{Behind, Session, Sessions, VirtualSlot};

pub(super) struct Application {
    session: Arc<Session>,
    /// They keep it.
    _all: (Arc<Sessions>, Arc<VirtualSlot>),
}

impl Application {
    pub(super) fn new(driver: &Arc<GroupDriver>) -> Self {
        let all = Arc::new(Sessions::default());
        let slot = VirtualSlot::new(1, Behind::Group, Arc::clone(driver), Arc::downgrade(&all));
        let slot = Arc::new(slot);
        let opened = slot.open_session(ck::CKF_SERIAL_SESSION | ck::CKF_RW_SESSION);
        let session = opened.ok().and_then(|handle| all.session(handle));
        let session = session.expect("a session");
        let logged_in = session.login(ck::CKU_USER, Some(PIN));
        logged_in.expect("the PIN is right");
        Self {
            session,
            _all: (all, slot),
        }
    }

    /// Has a wish fulfilled; a change of an object brings it to this revision.
    pub(super) fn wish(&self, wish: Wish, revision: u64) -> Result<(), Rv> {
        match wish {
            Wish::Create(base) => object(base, 0)
                .with_template(|template| self.session.create_object(template))
                .map(drop),
            Wish::Update(base) => {
                let handle = self.find(base)?;
                Attributes::new()
                    .bytes(ck::CKA_APPLICATION, &application(revision))
                    .with_template(|template| self.session.set_attributes(handle, template))
            }
            Wish::Destroy(base) => self.session.destroy_object(self.find(base)?),
        }
    }

    fn find(&self, base: u8) -> Result<u64, Rv> {
        let wanted = object(base, 0).get(ck::CKA_LABEL).map(<[u8]>::to_vec);
        let wanted = Attributes::new().bytes(ck::CKA_LABEL, &wanted.unwrap_or_default());
        wanted.with_template(|template| self.session.find_begin(template))?;
        let mut found = [0; 2];
        let count = self.session.find_next(&mut found)?;
        self.session.find_end()?;
        assert_eq!(count, 1, "objects of base {base}");
        Ok(found[0])
    }
}
