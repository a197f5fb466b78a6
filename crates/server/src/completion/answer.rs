//! How a completion is answered: when it has ended, or event by event.

use std::time::Duration;

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use http::{HeaderName, HeaderValue};
use scheduler::{Shown, Watch};
use serde_json::Value;
use session::{event::Event, turn::Status};
use store::Turn;

use super::{
    Begun, SESSION,
    refusal::{failure, of_failed},
};
use crate::{
    answer::before_stop,
    app::App,
    error::ApiError,
    sse::{self, Frame, Id},
};

const TURN: HeaderName = HeaderName::from_static("x-turnwise-turn");

/// A stream's head says 200, and says it for good. So it waits for the answer's beginning, in case that is a failure;
/// but not so long that somebody between us and the client gives up on the connection.
const HEAD_WAITS: Duration = Duration::from_secs(10);

/// Makes a surface's events of a turn's.
pub trait Fold: Send + 'static {
    /// A frame that says nothing.
    const KEEP_ALIVE: &'static [u8];

    /// The next event of the log. The last one comes with the ended turn, which did not fail.
    fn push(&mut self, event: &Event, ended: Option<&Turn>) -> Vec<Told>;

    /// The end of a stream whose turn failed, or whose log cannot be read.
    fn fail(&mut self, error: &ApiError) -> Vec<Told>;
}

/// What goes out on a stream.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    Data(Value),
    Event(&'static str, Value),
    /// OpenAI's last word.
    Done,
}

impl Told {
    fn write(&self, out: &mut BytesMut) -> serde_json::Result<()> {
        match self {
            Told::Data(data) => sse::data(data, out),
            Told::Event(event, data) => Frame { id: Id::None, event, data }.write(out),
            Told::Done => {
                out.extend_from_slice(b"data: [DONE]\n\n");
                Ok(())
            }
        }
    }
}

impl Begun {
    /// The answer when the turn has ended; `object` makes it of a turn that did not fail.
    pub async fn whole(self, app: &App, object: impl FnOnce(&Turn) -> Value) -> Response {
        let Begun { turn, kept, watch } = self;
        let response = match before_stop(app, &turn.id, watch.end()).await {
            Ok(ended) if ended.status == Status::Failed => of_failed(&ended, kept),
            Ok(ended) => Json(object(&ended)).into_response(),
            Err(error) => error.into_response(),
        };
        with_ids(response, &turn, kept)
    }

    pub async fn stream<F: Fold>(self, app: &App, fold: F) -> Response {
        let Begun { turn, kept, mut watch } = self;
        let mut first = Vec::new();
        let opened = tokio::time::timeout(HEAD_WAITS, opening(&mut watch, &mut first)).await;
        let failed = first.last().and_then(|last| last.turn.as_deref()).filter(|ended| ended.status == Status::Failed);
        let response = match (opened, failed) {
            (Ok(Err(error)), _) => ApiError::from(error).into_response(),
            (_, Some(ended)) if !first.iter().any(says) => of_failed(ended, kept),
            _ => app.streams.answer_with(frames(Telling { watch, fold, first, kept }), F::KEEP_ALIVE),
        };
        with_ids(response, &turn, kept)
    }
}

/// Where the answer is kept, for the headers.
fn with_ids(mut response: Response, turn: &Turn, kept: bool) -> Response {
    let ids = [(SESSION, turn.session.as_str()), (TURN, turn.id.as_str())];
    for (name, id) in ids.into_iter().filter(|_| kept) {
        if let Ok(value) = HeaderValue::from_str(id) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// The events up to the first word, or the end.
async fn opening(watch: &mut Watch, first: &mut Vec<Shown>) -> store::Result<()> {
    while let Some(shown) = watch.next().await {
        first.extend(shown?);
        if first.iter().any(|shown| says(shown) || shown.turn.is_some()) {
            break;
        }
    }
    Ok(())
}

fn says(shown: &Shown) -> bool {
    match &*shown.event {
        Event::Text { .. } | Event::Reasoning { .. } | Event::Refusal { .. } | Event::ToolCall { .. } => true,
        Event::Snapshot(snapshot) => *snapshot != Default::default(),
        Event::Queued { .. } | Event::Started { .. } | Event::PartDone { .. } | Event::Ended => false,
    }
}

/// A stream that is being told.
struct Telling<F> {
    watch: Watch,
    fold: F,
    /// Taken from the watch already.
    first: Vec<Shown>,
    kept: bool,
}

/// Whole frames.
fn frames<F: Fold>(telling: Telling<F>) -> impl Stream<Item = Bytes> + Send + 'static {
    futures_util::stream::unfold(telling, |mut telling| async move {
        loop {
            let told = telling.next().await?;
            let mut out = BytesMut::new();
            if let Err(error) = told.iter().try_for_each(|told| told.write(&mut out)) {
                tracing::error!(turn_id = %telling.watch.turn(), %error, "an event could not be written");
                return None;
            }
            if !out.is_empty() {
                return Some((out.freeze(), telling));
            }
        }
    })
}

impl<F: Fold> Telling<F> {
    async fn next(&mut self) -> Option<Vec<Told>> {
        let shown = match std::mem::take(&mut self.first) {
            first if first.is_empty() => self.watch.next().await?,
            first => Ok(first),
        };
        match shown {
            Ok(shown) => Some(shown.iter().flat_map(|shown| self.tell(shown)).collect()),
            Err(error) => {
                tracing::error!(turn_id = %self.watch.turn(), %error, "a stream of events ended early");
                Some(self.fold.fail(&error.into()))
            }
        }
    }

    fn tell(&mut self, shown: &Shown) -> Vec<Told> {
        match shown.turn.as_deref() {
            Some(ended) if ended.status == Status::Failed => self.fold.fail(&failure(ended, self.kept)),
            ended => self.fold.push(&shown.event, ended),
        }
    }
}
