//! The socket between an application and a member host: set-up, and the end of either. Calls never use it.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags,
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg,
    sendmsg, socketpair, sockopt,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// No message is longer, in bytes; the longest part of one is the module's init string.
const LONGEST: usize = 64 * 1024;

/// Descriptors that travel with [`ToHost::Start`].
const DESCRIPTORS: usize = 2;

/// What the application tells the host.
#[derive(Deserialize, Serialize)]
pub(super) enum ToHost {
    /// Load the module and initialise it; the region and the board come with it. Always first.
    Start(Start),
    /// Serve this channel from now on.
    Open { channel: u32 },
    /// Finish what is posted, finalise the module and end, all within so many milliseconds.
    Finish { grace: u64 },
}

/// How the module is to be loaded.
#[derive(Deserialize, Serialize)]
pub(super) struct Start {
    /// The library's version, which must be the host program's.
    pub(super) version: String,
    /// The application's process id.
    pub(super) application: u32,
    /// How many channels the region has.
    pub(super) channels: u32,
    /// The host's number on the board.
    pub(super) number: u16,
    /// For `CK_C_INITIALIZE_ARGS.pReserved`. It may hold a PIN.
    pub(super) init_string: Option<String>,
}

/// What the host tells the application, once.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) enum FromHost {
    /// The module can be used.
    Initialised,
    /// The module could not be loaded; why, for people.
    NotLoaded { reason: String },
    /// `C_Initialize` returned this.
    NotInitialised { rv: u64 },
    /// The host program is of this version, not of the library's.
    OtherVersion { version: String },
}

/// One end of the socket.
#[derive(Debug)]
pub(super) struct Socket(OwnedFd);

impl Socket {
    /// Both ends; the second is to become the host's standard input.
    pub(super) fn pair() -> io::Result<(Self, OwnedFd)> {
        let (ours, theirs) = socketpair(
            AddressFamily::UNIX,
            SocketType::SEQPACKET,
            SocketFlags::CLOEXEC,
            None,
        )?;
        Ok((Self(ours), theirs))
    }

    /// The end that was inherited.
    ///
    /// # Errors
    /// It is no such socket.
    pub(super) fn from_inherited(descriptor: OwnedFd) -> io::Result<Self> {
        if sockopt::socket_type(&descriptor)? != SocketType::SEQPACKET {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        Ok(Self(descriptor))
    }

    /// Sends a message without waiting.
    ///
    /// # Errors
    /// The other end is gone, or has not read for so long that there is no room, or the message is too long.
    pub(super) fn send(
        &self,
        message: &impl Serialize,
        descriptors: &[BorrowedFd<'_>],
    ) -> io::Result<()> {
        let mut buffer = Zeroizing::new(vec![0; LONGEST]);
        let bytes = postcard::to_slice(message, &mut buffer)
            .map_err(|_| io::Error::from(Errno::MSGSIZE))?;
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !descriptors.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(descriptors))
        {
            return Err(Errno::MSGSIZE.into());
        }
        // An application's SIGPIPE is at its default: the end of a host must not be the end of it.
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        sendmsg(&self.0, &[IoSlice::new(bytes)], &mut ancillary, flags)?;
        Ok(())
    }

    /// Waits for a message; `None` when the other end is gone.
    ///
    /// # Errors
    /// What came is no such message.
    pub(super) fn receive<T: DeserializeOwned>(&self) -> io::Result<Option<(T, Vec<OwnedFd>)>> {
        let mut buffer = Zeroizing::new(vec![0; LONGEST]);
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let received = rustix::io::retry_on_intr(|| {
            recvmsg(
                &self.0,
                &mut [IoSliceMut::new(&mut buffer)],
                &mut ancillary,
                RecvFlags::CMSG_CLOEXEC,
            )
        });
        let received = match received {
            Ok(received) if received.bytes == 0 => return Ok(None),
            Ok(received) => received,
            Err(Errno::CONNRESET) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let descriptors = ancillary
            .drain()
            .filter_map(|message| match message {
                RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
                _ => None,
            })
            .flatten()
            .collect();
        if received.flags.contains(ReturnFlags::TRUNC) {
            return Err(Errno::MSGSIZE.into());
        }
        let message = postcard::from_bytes(&buffer[..received.bytes])
            .map_err(|_| io::ErrorKind::InvalidData)?;
        Ok(Some((message, descriptors)))
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
