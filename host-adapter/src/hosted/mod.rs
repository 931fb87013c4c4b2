//! Members whose module is loaded in a process of ours, a member host.
//!
//! A module that hangs, crashes or raises a signal costs its members for a while, never the application. Calls cross by shared memory
//! (module `channel`), one channel for each link; a socket is there for set-up, and tells either side of the other's end.

mod apart;
mod channel;
mod child;
mod host;
mod memory;
mod process;
mod program;
mod shared;
mod socket;
mod spin;
mod word;

use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use everslot_protocol::wire::{decode_reply_head, encode_request, request_size};
use everslot_protocol::{Body, Deadline, Reply, Request, Rv};

pub(crate) use host::forbid_dumps;
pub use host::run_member_host;
#[cfg(test)]
pub(crate) use process::in_forked_child;
pub use program::{HOST_VARIABLE, NoHostProgram, find_host_program};

use crate::module::parameter::{crosses_process_border, message_crosses_process_border};
use crate::module::{Delivery, Instance, Link, LinkCause, LinkFailure, ModuleSettings};
use channel::{Answered, ClientEnd, Message, Peer};
use child::Child;
use memory::REPLY;
use shared::Shared;

/// The most links that one member host can have.
pub const CHANNELS_MAX: u32 = 1024;

/// What the host program is to do, as its first argument.
pub const HOST_COMMAND: &str = "member-host";

const HOST_MEMORY: Rv = Rv(0x2);

/// One module, loaded in a member host.
///
/// When it is dropped the host is killed; [`stop`](Instance::stop) ends it in good order. In a child that the application has forked it is of no
/// use: nothing done there disturbs the host, and no link may be used there.
#[derive(Debug)]
pub struct Hosted {
    shared: Arc<Shared>,
}

impl Hosted {
    /// Starts `host_program` for a module and waits until it is initialised. Up to `channels` links can be had at once, at most
    /// [`CHANNELS_MAX`]; they cost nothing until they are used.
    ///
    /// # Errors
    /// The host could not be started, has ended, or could not load or initialise the module, or was not done at the deadline. Nothing of it
    /// is left then.
    pub fn start(
        settings: &ModuleSettings,
        host_program: &Path,
        channels: u32,
        deadline: Duration,
    ) -> Result<Self, LinkFailure> {
        let hosted = Self::spawn(settings, host_program, channels)?;
        hosted.wait_until_initialised(deadline)?;
        Ok(hosted)
    }

    /// Starts `host_program` for a module; [`wait_until_initialised`](Self::wait_until_initialised) is to follow.
    ///
    /// # Errors
    /// The host could not be started.
    pub fn spawn(
        settings: &ModuleSettings,
        host_program: &Path,
        channels: u32,
    ) -> Result<Self, LinkFailure> {
        Child::reap_ended();
        let shared = Shared::spawn(settings, host_program, channels.clamp(1, CHANNELS_MAX)).map_err(|error| {
            tracing::warn!(program = %host_program.display(), %error, "a member host could not be started");
            failure(LinkCause::HostNotStarted)
        })?;
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// Waits until the module is initialised.
    ///
    /// # Errors
    /// The host has ended, also because it was [killed](Self::kill), could not load or initialise the module, or was not done at the
    /// deadline.
    pub fn wait_until_initialised(&self, deadline: Duration) -> Result<(), LinkFailure> {
        let until = Instant::now().checked_add(deadline);
        self.shared.await_module(until).inspect_err(|failure| {
            tracing::warn!(module = %self.shared.module().display(), cause = ?failure.cause, "a module could not be used");
        })
    }

    /// Kills the host at once, also when it is stopped. Whoever waits for an answer is told now that there will be none.
    pub fn kill(&self) {
        self.shared.kill();
    }
}

impl Instance for Hosted {
    fn link(&self) -> Result<Box<dyn Link>, LinkFailure> {
        let end = self.shared.open_channel()?;
        Ok(Box::new(HostedLink {
            shared: Arc::clone(&self.shared),
            end,
        }))
    }

    fn is_alive(&self) -> bool {
        !self.shared.has_ended()
    }

    fn begin_to_stop(&self, grace: Duration) {
        self.shared.ask_to_finish(grace);
    }

    fn stop(&self, grace: Duration) {
        self.shared.stop(grace);
    }

    fn process(&self) -> Option<u32> {
        Some(self.shared.child().id())
    }

    fn liveness(&self) -> Option<BorrowedFd<'_>> {
        Some(self.shared.child().liveness())
    }
}

impl Drop for Hosted {
    fn drop(&mut self) {
        self.shared.kill();
    }
}

/// The way of one real session's calls to a member host.
#[derive(Debug)]
struct HostedLink {
    shared: Arc<Shared>,
    end: ClientEnd,
}

impl Link for HostedLink {
    fn call(
        &mut self,
        request: &Request<'_>,
        output: &mut [u8],
        deadline: Deadline,
    ) -> Result<Reply, LinkFailure> {
        const GARBLED: LinkFailure = LinkFailure {
            delivery: Delivery::Unknown,
            cause: LinkCause::Garbled,
        };
        if !request.mechanism().is_none_or(crosses_process_border)
            || !request
                .message_parameter()
                .is_none_or(message_crosses_process_border)
        {
            return Err(failure(LinkCause::NotTransferable));
        }
        let mut head = [0; REPLY];
        let served = match self.end.exchange(
            &RequestMessage(request),
            &mut head,
            output,
            deadline,
            &*self.shared,
        )? {
            Answered::Executed(served) => served,
            Answered::NoMemory => {
                return Ok(Reply {
                    rv: HOST_MEMORY,
                    body: Body::Empty,
                });
            }
        };
        match decode_reply_head(&head[..served.reply]) {
            Ok((reply, length))
                if length == served.reply && reply.written() == served.output as u64 =>
            {
                Ok(reply)
            }
            _ => Err(GARBLED),
        }
    }
}

impl Drop for HostedLink {
    fn drop(&mut self) {
        self.shared.close_channel(&self.end);
    }
}

struct RequestMessage<'a, 'b>(&'a Request<'b>);

impl Message for RequestMessage<'_, '_> {
    fn write(&self, buffer: &mut [u8]) -> Option<usize> {
        encode_request(self.0, buffer).ok()
    }

    fn size(&self) -> usize {
        request_size(self.0)
    }
}

const fn failure(cause: LinkCause) -> LinkFailure {
    LinkFailure {
        delivery: Delivery::None,
        cause,
    }
}

#[cfg(test)]
mod tests;
