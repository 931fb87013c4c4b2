//! O3: a call reports a member lost, or to be set aside, for a reason, and never lets one pass.

use everslot_core::{CallInput, CallOutput, Rv, ckr};

use super::caller::Busy;

/// What a call should report of the member that it is at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Report {
    Nothing,
    Lost,
    SetAside,
}

impl Busy {
    /// Whether a call that was told this reports what it should. `code` is what the member answered, if it did, and
    /// `logged_in` whether the group is.
    pub(super) fn reports_rightly(
        &self,
        input: CallInput,
        code: Option<Rv>,
        logged_in: bool,
        output: &CallOutput,
    ) -> bool {
        let at = self
            .target()
            .map(|target| (target.member, target.incarnation));
        let set_aside = output
            .set_aside
            .map(|aside| (aside.member, aside.incarnation));
        match self.should_report(input, code, logged_in) {
            Report::Nothing => output.lost.is_none() && set_aside.is_none(),
            Report::Lost => output.lost == at && set_aside.is_none(),
            Report::SetAside => output.lost.is_none() && set_aside == at,
        }
    }

    fn should_report(&self, input: CallInput, code: Option<Rv>, logged_in: bool) -> Report {
        match (input, code) {
            (CallInput::Verdict(_), Some(code)) => self.should_report_of(code, logged_in),
            (
                CallInput::Unanswered { .. }
                | CallInput::Reopened(false)
                | CallInput::Probed(false),
                _,
            ) => Report::Lost,
            (
                CallInput::Start
                | CallInput::Chosen(_)
                | CallInput::Verdict(_)
                | CallInput::Reopened(true)
                | CallInput::Probed(true),
                _,
            ) => Report::Nothing,
        }
    }

    /// A session that is lost once is made anew; what may have taken effect and may not be repeated ends there.
    fn should_report_of(&self, code: Rv, logged_in: bool) -> Report {
        match code {
            ckr::DEVICE_ERROR | ckr::TOKEN_NOT_PRESENT => Report::Lost,
            ckr::FIPS_SELF_TEST_FAILED => Report::SetAside,
            ckr::SESSION_CLOSED if !self.may_be_repeated() => Report::Nothing,
            ckr::SESSION_CLOSED | ckr::SESSION_HANDLE_INVALID if self.reopened => Report::Lost,
            // The session's login is not the group's, which counts like no session.
            ckr::USER_NOT_LOGGED_IN if self.reopened && logged_in => Report::Lost,
            ckr::USER_ALREADY_LOGGED_IN if self.reopened && !logged_in => Report::Lost,
            _ => Report::Nothing,
        }
    }
}
