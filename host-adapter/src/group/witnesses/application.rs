//! The application: its calls, through the virtual slot where that has a part in what becomes of them.

use std::sync::Arc;

use cryptoki_sys as ck;
use everslot_core::{Effect, Replayable, Rv, repeat};
use everslot_protocol::{Mechanism, Operation, Parameter, Request};

use super::script::{Job, Kind};
use super::token::{ENCRYPTS_ALIKE, ENCRYPTS_AT_RANDOM, PIN, SIGNS};
use crate::group::{Errand, GroupDriver};
use crate::slot::{Behind, Output, Session, Sessions, VirtualSlot};

/// One part of an operation of many calls.
pub(super) const PART: [u8; 1024] = [7; 1024];

pub(super) struct Application {
    driver: Arc<GroupDriver>,
    /// One for each caller; none where no member serves when it begins.
    sessions: Vec<Arc<Session>>,
    /// They keep them.
    _all: (Arc<Sessions>, Arc<VirtualSlot>),
    job: Job,
}

impl Application {
    pub(super) fn new(driver: &Arc<GroupDriver>, job: Job) -> Self {
        let all = Arc::new(Sessions::default());
        let slot = VirtualSlot::new(1, Behind::Group, Arc::clone(driver), Arc::downgrade(&all));
        let slot = Arc::new(slot);
        let open = |_| {
            slot.open_session(ck::CKF_SERIAL_SESSION | ck::CKF_RW_SESSION)
                .ok()
        };
        let handles = (0..2).filter_map(open);
        Self {
            driver: Arc::clone(driver),
            sessions: handles.filter_map(|handle| all.session(handle)).collect(),
            _all: (all, slot),
            job,
        }
    }

    pub(super) fn log_in(&self, right: bool) -> Result<(), Rv> {
        let pin = if right { PIN } else { b"wrong" };
        self.sessions[0].login(ck::CKU_USER, Some(pin))
    }

    pub(super) fn log_out(&self) {
        // That nobody is logged in is what is wanted.
        let _ = self.sessions[0].logout();
    }

    pub(super) fn call(&self, caller: usize, kind: Kind) -> Result<(), Rv> {
        let session = &self.sessions[caller];
        let operation = self.operation();
        match kind {
            Kind::Sign => self.single(Effect::Computes),
            Kind::Generate => self.single(Effect::Creates),
            Kind::LogIn { right } => self.log_in(right),
            Kind::Begin => session.begin(operation, Some(self.mechanism()), None),
            Kind::Part if operation == Operation::Sign => session.update(operation, &PART),
            Kind::Part => session
                .update_output(operation, &PART, Output::Buffer(&mut [0; 2048]))
                .map(drop)
                .map_err(|refusal| refusal.rv),
            Kind::Finish => session
                .finish(operation, Output::Buffer(&mut [0; 2048]))
                .map(drop)
                .map_err(|refusal| refusal.rv),
        }
    }

    fn operation(&self) -> Operation {
        if self.job.output {
            Operation::Encrypt
        } else {
            Operation::Sign
        }
    }

    fn mechanism(&self) -> Mechanism<'static> {
        let kind = match self.job.replayable {
            _ if !self.job.output => SIGNS,
            Replayable::Alike => ENCRYPTS_ALIKE,
            Replayable::UntilOutput | Replayable::Never => ENCRYPTS_AT_RANDOM,
        };
        Mechanism {
            kind,
            parameter: Parameter::None,
        }
    }

    /// A call of one request.
    fn single(&self, effect: Effect) -> Result<(), Rv> {
        let errand = Errand::anywhere(repeat(effect));
        let done = self.driver.perform(errand, &mut |lease| {
            let request = Request::GenerateRandom {
                session: lease.handle(),
                length: 0,
            };
            Ok(lease.call(&request, &mut [])?)
        })?;
        match Rv(done.reply.rv.0) {
            everslot_core::ckr::OK => Ok(()),
            rv => Err(rv),
        }
    }
}
