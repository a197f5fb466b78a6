//! What a caller holds of a call.

use std::task::{Context, Poll};

use session::{event::Delta, turn::Failure};

use crate::{call::Call, echo::Echo, scripted::Play};

/// An answer as it comes. Dropping it closes the connection to the upstream at once.
pub struct Reply(Source);

enum Source {
    Call(Call),
    Echo(Echo),
    Scripted(Play),
    Failed(Option<Failure>),
}

impl Reply {
    /// The next delta. An answer that is whole ends with `Delta::Finish`, `Delta::Usage` before it where the upstream
    /// counts; then comes `None`. A failure is the last thing too. Cancel-safe.
    pub async fn next(&mut self) -> Option<Result<Delta, Failure>> {
        std::future::poll_fn(|cx| self.poll_next(cx)).await
    }

    fn poll_next(&mut self, cx: &mut Context) -> Poll<Option<Result<Delta, Failure>>> {
        match &mut self.0 {
            Source::Call(call) => call.poll_next(cx),
            Source::Echo(echo) => echo.poll_next(cx).map(|delta| delta.map(Ok)),
            Source::Scripted(play) => play.poll_next(cx),
            Source::Failed(failure) => Poll::Ready(failure.take().map(Err)),
        }
    }

    pub(crate) fn call(call: Call) -> Self {
        Reply(Source::Call(call))
    }

    pub(crate) fn echo(echo: Echo) -> Self {
        Reply(Source::Echo(echo))
    }

    pub(crate) fn scripted(play: Play) -> Self {
        Reply(Source::Scripted(play))
    }

    pub(crate) fn failed(failure: Failure) -> Self {
        Reply(Source::Failed(Some(failure)))
    }
}
