//! OpenAI's events on the wire: the fold, fed by a watch, written as server-sent events.

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use scheduler::Watch;

use super::fold::Fold;
use crate::{
    error::ApiError,
    sse::{Frame, Id},
};

const DONE: &[u8] = b"data: [DONE]\n\n";

/// The events behind `after`, whole frames. `watch` stands at the turn's start.
pub fn frames(watch: Watch, fold: Fold, after: Option<u64>) -> impl Stream<Item = Bytes> + Send + 'static {
    futures_util::stream::unfold((watch, fold), move |(mut watch, mut fold)| async move {
        loop {
            let shown = match watch.next().await? {
                Ok(shown) => shown,
                Err(error) => {
                    tracing::error!(turn_id = %watch.turn(), %error, "a stream of events ended early");
                    let data = fold.broken(ApiError::from(error).detail(), after);
                    let mut out = BytesMut::new();
                    Frame { id: Id::None, event: "error", data: &data }.write(&mut out).ok()?;
                    return Some((out.freeze(), (watch, fold)));
                }
            };
            let mut out = BytesMut::new();
            for shown in &shown {
                let emitted = fold.push(shown.id, &shown.event, shown.turn.as_deref());
                if let Err(error) = write(&mut out, &fold, emitted, after) {
                    tracing::error!(turn_id = %watch.turn(), %error, "an event could not be written");
                    return None;
                }
            }
            if !out.is_empty() {
                return Some((out.freeze(), (watch, fold)));
            }
        }
    })
}

fn write(
    out: &mut BytesMut,
    fold: &Fold,
    emitted: Vec<super::fold::Emitted>,
    after: Option<u64>,
) -> serde_json::Result<()> {
    let over = emitted.last().is_some_and(|last| last.is_last);
    for event in fold.unseen(emitted, after) {
        Frame { id: Id::None, event: event.name, data: &event.into_data() }.write(out)?;
    }
    if over {
        out.extend_from_slice(DONE);
    }
    Ok(())
}
