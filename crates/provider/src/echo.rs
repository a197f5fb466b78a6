//! The built-in model that needs no key and no network: repeats what it was told, and says what came with it.

use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use serde::Deserialize;
use session::{
    event::Delta,
    message::Content,
    tokens,
    turn::{Failure, FailureCode::Internal, Finish, Usage},
};
use tokio::time::{Instant, Sleep};

use crate::failure::failure;

pub(crate) const NAME: &str = "echo";
pub(crate) const MODEL: &str = "echo";

const TOKENS_PER_SECOND: f64 = 200.0;
/// Of a longer message only the beginning is repeated: at the usual speed this takes some seconds.
const REPEATED_CHARS_MAX: usize = 2000;

pub(crate) struct Echo {
    deltas: VecDeque<Delta>,
    /// From one piece of text to the next.
    interval: Duration,
    /// When the next piece is due; the first is at once.
    due: Option<Instant>,
    sleep: Option<Pin<Box<Sleep>>>,
}

/// Of a chat-completions body, what is of interest here.
#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    model: String,
    messages: Vec<Said>,
    /// A parameter of a config: the speed. 0 is as fast as can be.
    tokens_per_second: Option<f64>,
}

#[derive(Deserialize)]
struct Said {
    role: String,
    content: Option<Content>,
}

impl Echo {
    pub fn new(body: &[u8]) -> Result<Self, Failure> {
        let body: Body = serde_json::from_slice(body)
            .map_err(|e| failure(Internal, format!("The echo cannot read its prompt: {e}")))?;
        let text = answer(&body.messages);
        let pieces = pieces(&text);
        let usage = Usage {
            prompt_tokens: body.messages.iter().map(|said| u64::from(tokens::count(&said.text()))).sum(),
            completion_tokens: pieces.len() as u64,
            ..Usage::default()
        };
        let model = if body.model.is_empty() { MODEL.to_owned() } else { body.model };
        let mut deltas = VecDeque::from([Delta::Model(model)]);
        deltas.extend(pieces.into_iter().map(|piece| Delta::Text(piece.to_owned())));
        deltas.extend([Delta::Usage(usage), Delta::Finish(Finish::Stop)]);
        let rate = body.tokens_per_second.unwrap_or(TOKENS_PER_SECOND);
        let interval = Duration::try_from_secs_f64(1.0 / rate).unwrap_or_default();
        Ok(Echo { deltas, interval, due: None, sleep: None })
    }

    pub fn poll_next(&mut self, cx: &mut Context) -> Poll<Option<Delta>> {
        if matches!(self.deltas.front(), Some(Delta::Text(_))) && !self.interval.is_zero() {
            let now = Instant::now();
            let due = *self.due.get_or_insert(now);
            if due > now {
                let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
                if sleep.deadline() != due {
                    sleep.as_mut().reset(due);
                }
                ready!(sleep.as_mut().poll(cx));
            }
            self.due = due.checked_add(self.interval);
        }
        Poll::Ready(self.deltas.pop_front())
    }
}

impl Said {
    fn text(&self) -> String {
        self.content.as_ref().map(|content| content.text().into_owned()).unwrap_or_default()
    }
}

fn answer(messages: &[Said]) -> String {
    let message = messages.last().map(Said::text).unwrap_or_default();
    let mut repeated: String = message.chars().take(REPEATED_CHARS_MAX).collect();
    if repeated.len() < message.len() {
        repeated.push('…');
    }
    let system = messages.iter().any(|said| said.role == "system");
    let earlier = messages.iter().filter(|said| said.role != "system").count().saturating_sub(1);
    let about = if message.chars().any(is_han) { chinese(earlier, system) } else { english(earlier, system) };
    [repeated, about].join("\n\n")
}

fn english(earlier: usize, system: bool) -> String {
    let history = match earlier {
        0 => "no earlier messages".to_owned(),
        1 => "1 earlier message".to_owned(),
        n => format!("{n} earlier messages"),
    };
    let system = if system { " and a system prompt" } else { "" };
    format!(
        "This is the built-in echo. I received {history}{system}. Add a real model: on the page under Models, or by POST /configs."
    )
}

fn chinese(earlier: usize, system: bool) -> String {
    let history = match earlier {
        0 => "此前没有收到消息".to_owned(),
        n => format!("此前我收到了 {n} 条消息"),
    };
    let system = if system { "和一条系统提示" } else { "" };
    format!("这是内置的回声。{history}{system}。要使用真正的模型，请在网页的“模型”里添加，或调用 POST /configs。")
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// About the size of tokens: a word with the space before it, or a Chinese character.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut before: Option<char> = None;
    for (at, c) in text.char_indices() {
        let begins = |before: char| is_han(c) || is_han(before) || (c.is_whitespace() && !before.is_whitespace());
        if before.is_some_and(begins) {
            pieces.push(&text[start..at]);
            start = at;
        }
        before = Some(c);
    }
    if start < text.len() {
        pieces.push(&text[start..]);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(messages: serde_json::Value) -> String {
        answer(&serde_json::from_value::<Vec<Said>>(messages).unwrap())
    }

    #[test]
    fn it_repeats_and_says_what_it_received() {
        insta::assert_snapshot!(text(json!([{"role": "user", "content": "Hello there"}])), @"
        Hello there

        This is the built-in echo. I received no earlier messages. Add a real model: on the page under Models, or by POST /configs.
        ");
        insta::assert_snapshot!(text(json!([
            {"role": "system", "content": "s"},
            {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"},
            {"role": "user", "content": [{"type": "text", "text": "你好"}]},
        ])), @"
        你好

        这是内置的回声。此前我收到了 2 条消息和一条系统提示。要使用真正的模型，请在网页的“模型”里添加，或调用 POST /configs。
        ");
    }

    #[test]
    fn a_long_message_is_cut() {
        let long = text(json!([{"role": "user", "content": "x".repeat(5000)}]));
        assert!(long.starts_with(&format!("{}…\n\nThis", "x".repeat(REPEATED_CHARS_MAX))));
    }

    #[test]
    fn pieces_make_the_text() {
        let text = " Hello,  big world\n\n你好，world 再见";
        assert_eq!(pieces(text).concat(), text);
        assert_eq!(pieces(text), [" Hello,", "  big", " world", "\n\n", "你", "好", "，world", " ", "再", "见"]);
        assert!(pieces("").is_empty());
    }

    async fn seconds(tokens_per_second: serde_json::Value) -> f64 {
        let body = json!({
            "model": "echo", "messages": [{"role": "user", "content": "a b c"}], "tokens_per_second": tokens_per_second,
        });
        let mut echo = Echo::new(body.to_string().as_bytes()).unwrap();
        let start = Instant::now();
        let mut last = None;
        while let Some(delta) = std::future::poll_fn(|cx| echo.poll_next(cx)).await {
            last = Some(delta);
        }
        assert_eq!(last, Some(Delta::Finish(Finish::Stop)));
        start.elapsed().as_secs_f64()
    }

    #[tokio::test(start_paused = true)]
    async fn it_speaks_at_the_speed_it_is_told() {
        let pieces = pieces(&answer(&[Said { role: "user".into(), content: Some("a b c".into()) }])).len() as f64;
        for (told, rate) in [(json!(null), 200.0), (json!(10), 10.0), (json!(0.5), 0.5)] {
            let took = seconds(told).await;
            assert!((took - (pieces - 1.0) / rate).abs() < 0.01, "{took} at {rate}");
        }
        for told in [json!(0), json!(-1), json!(1e300)] {
            assert_eq!(seconds(told).await, 0.0);
        }
    }
}
