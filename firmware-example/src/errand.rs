//! What the core has done about a member, request by request, without ever waiting: the steps of an attempt, a change of login, a fresh
//! session.

use core::time::Duration;

use embedded_io::{Read, ReadReady, Write};
use everslot_core::{
    AttemptSerial, Context, Evidence, Incarnation, Instant, Login, LoginGeneration, Overrides,
    QuarantineReason, Rv, Step, User, Verdict, ckr, verdict,
};
use everslot_protocol::wire::{Malformed, decode_info};
use everslot_protocol::{Body, Reply, Request, SessionHandle, SlotId, TokenInfo};

use crate::gateway::task::log_in;
use crate::line::{Line, OUTPUT};
use crate::post::Open;

/// Slots of a member that are looked at; a member behind a line has one or two.
const SLOTS: usize = 8;

/// What an errand may need, and does not keep.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Credentials<'a> {
    /// The token's label.
    pub(crate) token: &'a str,
    /// The PIN that a member has accepted, as long as the group is logged in.
    pub(crate) pin: Option<&'a str>,
}

impl<'a> Credentials<'a> {
    pub(crate) const fn of(self, token: &'a str) -> Self {
        Self { token, ..self }
    }
}

/// What an errand is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Purpose {
    /// A step of an attempt.
    Step {
        serial: AttemptSerial,
        step: Step,
        login: (Login, LoginGeneration),
    },
    /// The member is to follow the group's login.
    FollowLogin {
        incarnation: Incarnation,
        generation: LoginGeneration,
        login: Login,
    },
    /// A call wants a fresh session with the group's login.
    Reopen { login: Login },
}

/// How an errand ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Finished {
    pub(crate) purpose: Purpose,
    pub(crate) end: Result<(), Trouble>,
}

/// Why an errand did not end as it should.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Trouble {
    Failed(Evidence),
    Refused(QuarantineReason),
}

/// What has been asked last.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Asked {
    Nothing,
    Module,
    Slots,
    /// Whether the token in the last of the slots is the member's.
    Token,
    Clearing,
    Session,
    LogIn,
    LogOut,
}

/// What is to be done next.
enum Go {
    Ask(Asked),
    End(Result<(), Trouble>),
}

/// An errand under way.
#[derive(Clone, Debug)]
pub(crate) struct Errand {
    purpose: Purpose,
    asked: Asked,
    /// Those that have not been found to be without the member's token.
    slots: heapless::Vec<SlotId, SLOTS>,
    until: Instant,
}

impl Errand {
    pub(crate) const fn new(purpose: Purpose) -> Self {
        Self {
            purpose,
            asked: Asked::Nothing,
            slots: heapless::Vec::new(),
            until: Instant::ZERO,
        }
    }

    /// Goes on if there is an answer, or nothing has been asked yet; ends when `deadline` has passed since the last request.
    pub(crate) fn advance<IO: Read + ReadReady + Write>(
        &mut self,
        now: Instant,
        deadline: Duration,
        line: &mut Line<IO>,
        open: &mut Open,
        credentials: Credentials<'_>,
    ) -> Option<Finished> {
        let mut output = [0; OUTPUT];
        let go = if self.asked == Asked::Nothing {
            self.first(credentials)
        } else if let Some(reply) = line.heard(&mut output) {
            self.next(reply, &output, open, credentials)
        } else if now >= self.until {
            Go::End(Err(Trouble::Failed(Evidence::DeadlinePassed)))
        } else {
            return None;
        };
        let end = match go {
            Go::End(end) => end,
            Go::Ask(asked) => {
                self.asked = asked;
                self.until = now.saturating_add(deadline);
                match self.send(line, open, credentials) {
                    Ok(()) => return None,
                    Err(evidence) => Err(Trouble::Failed(evidence)),
                }
            }
        };
        Some(Finished {
            purpose: self.purpose,
            end,
        })
    }

    fn first(&self, credentials: Credentials<'_>) -> Go {
        match self.purpose {
            Purpose::Step { step, login, .. } => match step {
                Step::Connect => Go::Ask(Asked::Module),
                Step::Open => Go::Ask(Asked::Slots),
                Step::LogIn => follow(login.0, credentials),
                // This gateway makes no objects: the keys were put on every member before. One that does feeds `Reconcile` here.
                Step::Synchronise => Go::End(Ok(())),
            },
            Purpose::FollowLogin { login, .. } => match login {
                Login::In(_) => follow(login, credentials),
                Login::Out => Go::Ask(Asked::LogOut),
            },
            Purpose::Reopen { .. } => Go::Ask(Asked::Slots),
        }
    }

    fn next(
        &mut self,
        reply: Reply,
        output: &[u8; OUTPUT],
        open: &mut Open,
        credentials: Credentials<'_>,
    ) -> Go {
        let rv = Rv(reply.rv.0);
        match self.asked {
            Asked::LogIn => return self.logged_in(rv),
            // A slot that does not describe its token is not the member's.
            Asked::Token if rv != ckr::OK => return self.look_on(),
            Asked::LogOut if rv == ckr::USER_NOT_LOGGED_IN => {}
            _ if rv != ckr::OK => return failed(Evidence::Code(rv)),
            _ => {}
        }
        match (self.asked, reply.body) {
            (Asked::Nothing | Asked::LogIn | Asked::Module, _) => Go::End(Ok(())),
            (Asked::LogOut, _) => {
                open.private = None;
                Go::End(Ok(()))
            }
            (Asked::Slots, body) => {
                self.slots = handles(body, output).map(SlotId).take(SLOTS).collect();
                self.look()
            }
            (Asked::Token, body) => {
                let info: Result<TokenInfo, Malformed> = decode_info(body.output(output));
                match (info, self.slots.last()) {
                    (Ok(info), Some(slot))
                        if trimmed(&info.label) == credentials.token.as_bytes() =>
                    {
                        open.slot = Some(*slot);
                        // What an asker before us, or we before a fault, have left open.
                        Go::Ask(Asked::Clearing)
                    }
                    (Ok(_), _) => self.look_on(),
                    (Err(Malformed), _) => failed(Evidence::NotReached),
                }
            }
            (Asked::Clearing, _) => Go::Ask(Asked::Session),
            (Asked::Session, Body::Session(session)) => {
                open.session = Some(session);
                self.opened(credentials)
            }
            // An answer of another kind than the question's: the module is not well.
            (Asked::Session, _) => failed(Evidence::NotReached),
        }
    }

    /// Looks at the slot before the last.
    fn look_on(&mut self) -> Go {
        let _ = self.slots.pop();
        self.look()
    }

    /// Looks at the last slot; none left: the token is not there.
    fn look(&self) -> Go {
        if self.slots.is_empty() {
            failed(Evidence::TokenAbsent)
        } else {
            Go::Ask(Asked::Token)
        }
    }

    /// A step ends with its session; a call wants the login as well.
    fn opened(&self, credentials: Credentials<'_>) -> Go {
        match self.purpose {
            Purpose::Reopen { login } => follow(login, credentials),
            Purpose::Step { .. } | Purpose::FollowLogin { .. } => Go::End(Ok(())),
        }
    }

    /// S12: a member that refuses the PIN which another has accepted is set aside, not tried again.
    fn logged_in(&self, rv: Rv) -> Go {
        let context = Context {
            login_call: true,
            pin_accepted: true,
            ..Context::default()
        };
        match verdict(rv, context, &Overrides::<0>::new()) {
            Verdict::Fine => Go::End(Ok(())),
            Verdict::Quarantine(why) => Go::End(Err(Trouble::Refused(why))),
            Verdict::CallersFault
            | Verdict::MemberLost { .. }
            | Verdict::SessionLost { .. }
            | Verdict::MemberBusy
            | Verdict::Unknown => failed(Evidence::Code(rv)),
        }
    }

    fn send<IO: Read + ReadReady + Write>(
        &self,
        line: &mut Line<IO>,
        open: &Open,
        credentials: Credentials<'_>,
    ) -> Result<(), Evidence> {
        let slot = open.slot.unwrap_or(SlotId(0));
        // Without one the member says so itself.
        let session = open.session.unwrap_or(SessionHandle(0));
        let request = match self.asked {
            Asked::Nothing | Asked::Module => Request::ModuleInfo,
            Asked::Slots => Request::Slots {
                token_present: true,
            },
            Asked::Token => Request::TokenInfo {
                slot: self.slots.last().copied().unwrap_or(slot),
            },
            Asked::Clearing => Request::CloseAllSessions { slot },
            Asked::Session => Request::OpenSession {
                slot,
                read_write: false,
            },
            // Without a PIN it would not have been begun.
            Asked::LogIn => log_in(session, credentials.pin.unwrap_or_default()),
            Asked::LogOut => Request::Logout { session },
        };
        line.ask(&request).map_err(|_| Evidence::NotReached)
    }
}

/// To the group's login; without the PIN there is none to follow.
fn follow(login: Login, credentials: Credentials<'_>) -> Go {
    match (login, credentials.pin) {
        (Login::In(User::User), Some(_)) => Go::Ask(Asked::LogIn),
        (Login::In(User::User | User::SecurityOfficer), _) | (Login::Out, _) => Go::End(Ok(())),
    }
}

const fn failed(evidence: Evidence) -> Go {
    Go::End(Err(Trouble::Failed(evidence)))
}

/// The handles or slots that a list of them has put out.
pub(crate) fn handles(body: Body, output: &[u8; OUTPUT]) -> impl Iterator<Item = u64> {
    let written = match body {
        Body::Written(bytes) => usize::try_from(bytes).unwrap_or(0),
        _ => 0,
    };
    let (all, _) = output.as_chunks();
    let count = written / size_of::<u64>();
    all.iter()
        .take(count)
        .map(|bytes| u64::from_le_bytes(*bytes))
}

/// A blank-padded text without its padding.
fn trimmed(text: &[u8]) -> &[u8] {
    text.trim_ascii_end()
}
