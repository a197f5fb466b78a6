//! A message of content blocks, in our words. Results of tool calls are messages of their own here, and come before what
//! the user says along with them. Fields of a block that have no place among ours (`cache_control`, `citations`,
//! `is_error`, `signature`) have no effect.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use session::message::{Content, ImageUrl, Message, Part, Role, ToolCall};

use crate::{
    app::Bounds,
    body, check,
    error::{ApiError, clip},
};

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a string, or a list of content blocks")]
pub enum WireContent {
    Text(String),
    Blocks(Vec<Map<String, Value>>),
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Source {
    Base64 { media_type: String, data: String },
    Url { url: String },
}

/// A block that is taken.
enum Block {
    Said(Part),
    Call(ToolCall),
    Result(Message),
    Thought(String),
    /// What only its vendor can read.
    Nothing,
}

pub fn messages(mut fields: Map<String, Value>, at: &str, bounds: &Bounds) -> Result<Vec<Message>, ApiError> {
    let place = |name: &str| format!("{at}.{name}");
    let role = fields.remove("role").unwrap_or_default();
    let content: WireContent = body::part(fields.remove("content").unwrap_or_default(), &place("content"))?;
    let reader = Reader { at: place("content"), bounds };
    match role.as_str() {
        Some("user") => reader.asked(content),
        Some("assistant") => Ok(vec![reader.answered(content)?]),
        Some("system") => Ok(vec![system(content, &place("content"), bounds)?]),
        _ => {
            let message = "A message's `role` is user, assistant or system.";
            Err(ApiError::bad_request("invalid_value", message).param(place("role")))
        }
    }
}

/// A prompt of the system, its blocks joined.
pub fn system(content: WireContent, at: &str, bounds: &Bounds) -> Result<Message, ApiError> {
    let reader = Reader { at: at.to_owned(), bounds };
    let text = match content {
        WireContent::Text(text) => text,
        WireContent::Blocks(blocks) => {
            let texts = blocks.into_iter().enumerate().map(|(at, block)| match reader.block(block, at, &["text"])? {
                Block::Said(Part::Text { text }) => Ok(text),
                _ => Ok(String::new()),
            });
            texts.collect::<Result<Vec<_>, ApiError>>()?.join("\n\n")
        }
    };
    let message = Message::system(&text);
    check::size(&message.content, at, bounds)?;
    Ok(message)
}

struct Reader<'a> {
    /// The place of the content in the body.
    at: String,
    bounds: &'a Bounds,
}

impl Reader<'_> {
    fn asked(&self, content: WireContent) -> Result<Vec<Message>, ApiError> {
        let blocks = match content {
            WireContent::Text(text) => return Ok(vec![self.sized(Message::new(Role::User, Content::Text(text)))?]),
            WireContent::Blocks(blocks) => blocks,
        };
        let (mut results, mut parts) = (Vec::new(), Vec::new());
        for (at, block) in blocks.into_iter().enumerate() {
            match self.block(block, at, &["text", "image", "tool_result"])? {
                Block::Said(part) => parts.push(part),
                Block::Result(result) => results.push(self.sized(result)?),
                Block::Call(_) | Block::Thought(_) | Block::Nothing => {}
            }
        }
        if !parts.is_empty() || results.is_empty() {
            results.push(self.sized(Message::new(Role::User, Content::Parts(parts)))?);
        }
        Ok(results)
    }

    fn answered(&self, content: WireContent) -> Result<Message, ApiError> {
        let blocks = match content {
            WireContent::Text(text) => return self.sized(Message::assistant(&text)),
            WireContent::Blocks(blocks) => blocks,
        };
        let (mut text, mut thoughts, mut tool_calls) = (String::new(), String::new(), Vec::new());
        for (at, block) in blocks.into_iter().enumerate() {
            match self.block(block, at, &["text", "tool_use", "thinking", "redacted_thinking"])? {
                Block::Said(Part::Text { text: more }) => text.push_str(&more),
                Block::Thought(more) => thoughts.push_str(&more),
                Block::Call(call) => tool_calls.push(call),
                Block::Said(Part::ImageUrl { .. }) | Block::Result(_) | Block::Nothing => {}
            }
        }
        let reasoning = Some(thoughts).filter(|thoughts| !thoughts.is_empty());
        self.sized(Message { tool_calls, reasoning, ..Message::assistant(&text) })
    }

    fn sized(&self, message: Message) -> Result<Message, ApiError> {
        check::size(&message.content, &self.at, self.bounds)?;
        Ok(message)
    }

    /// `known` are the types that may stand here.
    fn block(&self, mut block: Map<String, Value>, at: usize, known: &[&str]) -> Result<Block, ApiError> {
        let place = format!("{}[{at}]", self.at);
        let kind = block.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        if !known.contains(&kind.as_str()) {
            let message =
                format!("A block of type `{}` is not supported here: send {}.", clip(&kind, 60), known.join(", "));
            return Err(ApiError::bad_request("unsupported_content", message).param(format!("{place}.type")));
        }
        match kind.as_str() {
            "text" => Ok(Block::Said(Part::Text { text: take(&mut block, "text", &place)? })),
            "image" => {
                let url = match take(&mut block, "source", &place)? {
                    Source::Base64 { media_type, data } => format!("data:{media_type};base64,{data}"),
                    Source::Url { url } => url,
                };
                Ok(Block::Said(Part::ImageUrl { image_url: ImageUrl { url, detail: None } }))
            }
            "tool_use" => Ok(Block::Call(ToolCall {
                id: take(&mut block, "id", &place)?,
                name: take(&mut block, "name", &place)?,
                arguments: Value::Object(take(&mut block, "input", &place)?).to_string(),
            })),
            "tool_result" => {
                let call = take(&mut block, "tool_use_id", &place)?;
                let content = self.result(take(&mut block, "content", &place)?, &place)?;
                Ok(Block::Result(Message { tool_call_id: Some(call), ..Message::new(Role::Tool, content) }))
            }
            "thinking" => Ok(Block::Thought(take(&mut block, "thinking", &place)?)),
            _ => Ok(Block::Nothing),
        }
    }

    fn result(&self, content: Option<WireContent>, place: &str) -> Result<Content, ApiError> {
        let blocks = match content {
            None => return Ok(Content::Text(String::new())),
            Some(WireContent::Text(text)) => return Ok(Content::Text(text)),
            Some(WireContent::Blocks(blocks)) => blocks,
        };
        let inner = Reader { at: format!("{place}.content"), bounds: self.bounds };
        let mut parts = Vec::new();
        for (at, block) in blocks.into_iter().enumerate() {
            if let Block::Said(part) = inner.block(block, at, &["text", "image"])? {
                parts.push(part);
            }
        }
        Ok(Content::Parts(parts))
    }
}

/// A field; one that is not there is as good as null, and refused where that does not do.
fn take<T: DeserializeOwned>(block: &mut Map<String, Value>, name: &str, place: &str) -> Result<T, ApiError> {
    body::part(block.remove(name).unwrap_or_default(), &format!("{place}.{name}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(message: Value) -> Result<Vec<Message>, ApiError> {
        messages(message.as_object().unwrap().clone(), "messages[0]", &Bounds::default())
    }

    fn text(text: &str) -> Part {
        Part::Text { text: text.into() }
    }

    fn image(url: &str) -> Part {
        Part::ImageUrl { image_url: ImageUrl { url: url.into(), detail: None } }
    }

    #[test]
    fn every_kind_of_block() {
        let asked = read(json!({"role": "user", "content": [
            {"type": "text", "text": "look", "cache_control": {"type": "ephemeral"}},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}},
            {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}},
            {"type": "tool_result", "tool_use_id": "a", "content": "one", "is_error": true},
            {"type": "tool_result", "tool_use_id": "b", "content": [{"type": "text", "text": "two"}]},
            {"type": "tool_result", "tool_use_id": "c"},
        ]}));
        let said = vec![text("look"), image("data:image/png;base64,AA=="), image("https://x/y.png")];
        let expected = [
            Message::tool("a", "one"),
            Message { content: Content::Parts(vec![text("two")]), ..Message::tool("b", "") },
            Message::tool("c", ""),
            Message::new(Role::User, Content::Parts(said)),
        ];
        assert_eq!(asked.unwrap(), expected, "results first");

        let answered = read(json!({"role": "assistant", "content": [
            {"type": "thinking", "thinking": "hm", "signature": "x"},
            {"type": "redacted_thinking", "data": "xx"},
            {"type": "text", "text": "I "},
            {"type": "text", "text": "look", "citations": null},
            {"type": "tool_use", "id": "a", "name": "look", "input": {"where": "here"}},
        ]}));
        let call = ToolCall { id: "a".into(), name: "look".into(), arguments: r#"{"where":"here"}"#.into() };
        let expected = Message { tool_calls: vec![call], reasoning: Some("hm".into()), ..Message::assistant("I look") };
        assert_eq!(answered.unwrap(), [expected]);

        assert_eq!(read(json!({"role": "user", "content": "hi"})).unwrap(), [Message::user("hi")]);
        assert_eq!(read(json!({"role": "assistant", "content": "hi"})).unwrap(), [Message::assistant("hi")]);
        assert_eq!(read(json!({"role": "system", "content": "s"})).unwrap(), [Message::system("s")]);
    }

    #[test]
    fn what_does_not_fit_is_refused_where_it_stands() {
        let user = |block: Value| json!({"role": "user", "content": [block]});
        let assistant = |block: Value| json!({"role": "assistant", "content": [block]});
        let table = [
            (json!({"content": "x"}), "invalid_value", "messages[0].role"),
            (json!({"role": "user"}), "invalid_value", "messages[0].content"),
            (user(json!({"type": "document"})), "unsupported_content", "messages[0].content[0].type"),
            (user(json!({"type": "tool_use"})), "unsupported_content", "messages[0].content[0].type"),
            (user(json!({"text": "x"})), "unsupported_content", "messages[0].content[0].type"),
            (user(json!({"type": "text"})), "invalid_value", "messages[0].content[0].text"),
            (
                user(json!({"type": "image", "source": {"type": "file", "file_id": "f"}})),
                "invalid_value",
                "messages[0].content[0].source.type",
            ),
            (
                user(json!({"type": "image", "source": {"type": "url", "url": "file:///etc/passwd"}})),
                "invalid_value",
                "messages[0].content[0].image_url.url",
            ),
            (user(json!({"type": "tool_result"})), "invalid_value", "messages[0].content[0].tool_use_id"),
            (
                user(json!({"type": "tool_result", "tool_use_id": "a", "content": [{"type": "document"}]})),
                "unsupported_content",
                "messages[0].content[0].content[0].type",
            ),
            (assistant(json!({"type": "image"})), "unsupported_content", "messages[0].content[0].type"),
            (
                assistant(json!({"type": "tool_use", "id": "a", "name": "f", "input": "x"})),
                "invalid_value",
                "messages[0].content[0].input",
            ),
        ];
        for (message, code, param) in table {
            let error = read(message.clone()).unwrap_err();
            assert_eq!((error.code(), error.detail().param.as_deref()), (code, Some(param)), "{message}");
        }
    }
}
