//! What the upstream answers and what is asked: the shape of the work, kept in one place.

use std::time::Duration;

use serde_json::{Value, json};
use upstream::{Request, Script, Step};

/// A send of a person; 64 bytes.
pub const MESSAGE: &str = "Could you tell me in a few words what the weather will be like?\n";

/// A tilde marks a token, so that clients count them byte by byte in whatever carries them.
pub const TOKEN: &str = "toke~";
pub const TOKEN_MARK: u8 = b'~';

/// An answer that a turn's fixed costs outweigh: four deltas, 120 bytes.
pub fn short_answer() -> impl Fn(&Request) -> Script {
    always(Script::deltas(vec!["Mild and mostly dry, I think. "; 4]))
}

/// An answer of that many tokens, each an HTTP chunk of its own, at that rate or as fast as they can be written.
pub fn tokens(count: usize, per_second: Option<f64>) -> impl Fn(&Request) -> Script {
    let script = Script::deltas(vec![TOKEN; count]);
    always(match per_second {
        Some(rate) => script.tokens_per_second(rate),
        None => script,
    })
}

/// A first token, then nothing until the gate opens.
pub fn held(gate: &str) -> impl Fn(&Request) -> Script + use<> {
    always(Script::deltas([TOKEN, TOKEN]).at(1, Step::gate(gate)))
}

/// How long an answer of [`tokens`] takes.
pub fn duration(tokens: usize, per_second: f64) -> Duration {
    Duration::from_secs_f64(tokens as f64 / per_second)
}

/// A call straight to the upstream, with a history as long as a window's.
pub fn direct_body(stream: bool) -> Value {
    let turns = (0..12).flat_map(|_| {
        let answer = "Mild and mostly dry, I think. ".repeat(4);
        [json!({"role": "user", "content": MESSAGE}), json!({"role": "assistant", "content": answer})]
    });
    let messages = Vec::from_iter(turns.chain([json!({"role": "user", "content": MESSAGE})]));
    json!({"model": "bench", "stream": stream, "messages": messages})
}

/// Bytes made once, by what the request asks for.
fn always(script: Script) -> impl Fn(&Request) -> Script {
    let whole = script.prerendered(&Request::sample(&json!({"model": "bench"})));
    let streamed = json!({"model": "bench", "stream": true, "stream_options": {"include_usage": true}});
    let streamed = script.prerendered(&Request::sample(&streamed));
    move |request| if request.streams() { streamed.clone() } else { whole.clone() }
}
