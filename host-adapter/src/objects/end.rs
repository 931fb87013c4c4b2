//! A lease as a way to a token, so that objects are carried between two members that serve.

use everslot_protocol::{Deadline, Reply, Request};

use crate::domain::{Deadlines, Token};
use crate::group::Lease;
use crate::module::{Link, LinkFailure};

/// Under the member's own deadlines.
impl Link for Lease {
    fn call(
        &mut self,
        request: &Request<'_>,
        output: &mut [u8],
        _deadline: Deadline,
    ) -> Result<Reply, LinkFailure> {
        Self::call(self, request, output)
    }
}

impl Lease {
    /// The member's token over this session.
    pub(crate) fn token(&mut self) -> Token<'_> {
        let session = self.handle();
        let config = &self.member().config;
        let deadlines = Deadlines {
            call: config.deadline,
            generation: config.generation_deadline,
        };
        Token::new(self, session, deadlines)
    }
}
