//! How an admitted turn is answered: as a stream, at once, or when it has ended.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use http::{HeaderMap, StatusCode, header::ACCEPT};
use scheduler::{Accepted, Scheduler, Watch};
use session::{
    id::{ProjectId, SessionId, TurnId},
    turn::Status,
};

use crate::{
    app::App,
    auth::Caller,
    error::ApiError,
    refusal::of_failed_turn,
    wire::{Answer, OnDisconnect, TurnView, turn_frame},
};

/// How the client wants to hear of its turn.
#[derive(Debug, Clone, Copy)]
pub struct Wants {
    pub stream: bool,
    pub wait: bool,
    pub on_disconnect: OnDisconnect,
}

impl Wants {
    pub fn new(headers: &HeaderMap, stream: bool, wait: bool, on_disconnect: OnDisconnect) -> Wants {
        let accepts = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
        Wants { stream: stream || accepts.contains("text/event-stream"), wait, on_disconnect }
    }
}

pub async fn answer(app: &App, caller: &Caller, accepted: Accepted, wants: Wants) -> Result<Response, ApiError> {
    let Accepted { session, turn, watch, .. } = accepted;
    let leaving = (wants.on_disconnect == OnDisconnect::Cancel).then(|| CancelOnDrop {
        scheduler: Some(app.scheduler.clone()),
        project: caller.project.clone(),
        turn: turn.clone(),
    });
    if wants.stream {
        return Ok(app.streams.answer(frames(watch, session, turn, leaving)));
    }
    if !wants.wait {
        leaving.into_iter().for_each(CancelOnDrop::stay);
        let stored = app.store().turn(caller.project.clone(), turn).await?.ok_or(store::Error::TurnNotFound)?;
        return Ok((StatusCode::ACCEPTED, Json(TurnView::from(&stored))).into_response());
    }
    let ended = before_stop(app, &turn, watch.end()).await?;
    leaving.into_iter().for_each(CancelOnDrop::stay);
    if ended.status == Status::Failed {
        let failed = of_failed_turn(&ended);
        return Err(match &ended.error {
            Some(error) => failed.upstream_said(error),
            None => failed,
        });
    }
    Ok(Json(Answer::from(&*ended)).into_response())
}

/// What a client waits for, unless the server stops first. Every turn that ran has ended then, and one that waits is kept
/// for the next start.
pub async fn before_stop<T, E: Into<ApiError>>(
    app: &App,
    turn: &TurnId,
    waited: impl Future<Output = Result<T, E>>,
) -> Result<T, ApiError> {
    tokio::select! {
        biased;
        ended = waited => ended.map_err(|error| error.into().turn_id(turn.to_string())),
        () = app.scheduler.stopped() => Err(ApiError::unavailable(
            "shutting_down",
            "The server is shutting down. What you sent is kept, and answered when the server is back: GET the turn then.",
        )
        .turn_id(turn.to_string())
        .not_again()),
    }
}

/// A turn's events as they come, whole frames, several in one write when several are there.
pub fn frames(
    watch: Watch,
    session: SessionId,
    turn: TurnId,
    leaving: Option<CancelOnDrop>,
) -> impl Stream<Item = Bytes> + Send + 'static {
    futures_util::stream::unfold((watch, session, turn, leaving), |(mut watch, session, turn, leaving)| async move {
        let events = match watch.next().await? {
            Ok(events) => events,
            Err(error) => {
                tracing::error!(turn_id = %turn, %error, "a stream of events ended early");
                return None;
            }
        };
        let mut out = BytesMut::new();
        for shown in &events {
            if let Err(error) = turn_frame(&mut out, &session, &turn, shown) {
                tracing::error!(turn_id = %turn, %error, "an event could not be written");
                return None;
            }
        }
        let over = events.last().is_some_and(|last| last.turn.is_some());
        let leaving = match leaving {
            Some(leaving) if over => {
                leaving.stay();
                None
            }
            leaving => leaving,
        };
        Some((out.freeze(), (watch, session, turn, leaving)))
    })
}

/// Cancels a turn when the one who waits for it is gone.
pub struct CancelOnDrop {
    scheduler: Option<Scheduler>,
    project: ProjectId,
    turn: TurnId,
}

impl CancelOnDrop {
    /// The turn has ended, or nobody has to wait for it.
    pub fn stay(mut self) {
        self.scheduler = None;
    }
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        if let Some(scheduler) = self.scheduler.take() {
            scheduler.cancel_detached(self.project.clone(), self.turn.clone());
        }
    }
}
