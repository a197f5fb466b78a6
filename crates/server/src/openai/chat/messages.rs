//! The messages of a chat completion, in our words. Fields of a message that have no place among ours (`name`, and what
//! stands beside an answer that a client sends back) have no effect.
//! <https://platform.openai.com/docs/api-reference/chat/create>

use scheduler::MESSAGES_MAX;
use serde::Deserialize;
use serde_json::{Map, Value};
use session::message::{Content, ImageUrl, Message, Part, Role, ToolCall};

use crate::{
    app::Bounds,
    body, check,
    error::{ApiError, clip},
};

pub fn messages(list: Vec<Map<String, Value>>, bounds: &Bounds) -> Result<Vec<Message>, ApiError> {
    if list.is_empty() || list.len() > MESSAGES_MAX {
        let message = format!("`messages` has 1 to {MESSAGES_MAX} messages.");
        return Err(ApiError::bad_request("invalid_value", message).param("messages"));
    }
    let message = |(at, message)| Reader { at: format!("messages[{at}]"), fields: message, bounds }.message();
    list.into_iter().enumerate().map(message).collect()
}

/// One message that is being read.
struct Reader<'a> {
    /// Its place in the body.
    at: String,
    fields: Map<String, Value>,
    bounds: &'a Bounds,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a string, or a list of parts")]
enum WireContent {
    Text(String),
    Parts(Vec<Map<String, Value>>),
}

#[derive(Deserialize)]
struct WireImage {
    url: String,
    detail: Option<String>,
}

#[derive(Deserialize)]
struct WireCall {
    id: String,
    r#type: Option<String>,
    function: Option<WireFunction>,
}

#[derive(Deserialize)]
struct WireFunction {
    name: String,
    #[serde(default)]
    arguments: String,
}

impl Reader<'_> {
    fn message(mut self) -> Result<Message, ApiError> {
        let role: Option<String> = self.take("role")?;
        match role.as_deref() {
            Some("user") => Ok(Message::new(Role::User, self.content(true)?)),
            Some("system" | "developer") => Ok(Message::new(Role::System, self.content(false)?)),
            Some("assistant") => self.answer(),
            Some("tool") => {
                let Some(call) = self.take("tool_call_id")? else {
                    return Err(self.refuse("tool_call_id", "A tool message has the `tool_call_id` of its call."));
                };
                Ok(Message { tool_call_id: Some(call), ..Message::new(Role::Tool, self.content(true)?) })
            }
            Some("function") => {
                let message =
                    "Messages of the role `function` are the older form of `tool`. Send `tool`, with `tool_call_id`.";
                Err(ApiError::bad_request("unsupported_message", message).param(self.place("role")))
            }
            _ => Err(self.refuse("role", "A message's `role` is developer, system, user, assistant or tool.")),
        }
    }

    fn answer(&mut self) -> Result<Message, ApiError> {
        for older in ["audio", "function_call"] {
            if self.take::<Value>(older)?.is_some() {
                let message = format!("`{older}` of an earlier answer is not supported.");
                return Err(ApiError::bad_request("unsupported_message", message).param(self.place(older)));
            }
        }
        let mut refusal: Option<String> = self.take("refusal")?;
        let content = match self.take("content")? {
            None => Content::Text(String::new()),
            Some(WireContent::Text(text)) => Content::Text(text),
            Some(WireContent::Parts(parts)) => self.answered(parts, &mut refusal)?,
        };
        check::size(&content, &self.place("content"), self.bounds)?;
        let calls: Vec<WireCall> = self.take("tool_calls")?.unwrap_or_default();
        Ok(Message {
            tool_calls: calls.into_iter().map(|call| self.call(call)).collect::<Result<_, _>>()?,
            reasoning: self.take("reasoning_content")?,
            refusal,
            ..Message::new(Role::Assistant, content)
        })
    }

    fn call(&self, call: WireCall) -> Result<ToolCall, ApiError> {
        match call {
            WireCall { id, function: Some(WireFunction { name, arguments }), .. } => {
                Ok(ToolCall { id, name, arguments })
            }
            WireCall { r#type, .. } => {
                let kind = r#type.unwrap_or_default();
                let message =
                    format!("A tool call of type `{}` is not supported. Only `function` is.", clip(&kind, 60));
                Err(ApiError::bad_request("unsupported_tool", message).param(self.place("tool_calls")))
            }
        }
    }

    /// An answer's parts: text, which may stand beside a refusal.
    fn answered(&self, parts: Vec<Map<String, Value>>, refusal: &mut Option<String>) -> Result<Content, ApiError> {
        let mut text = String::new();
        for (at, mut part) in parts.into_iter().enumerate() {
            if let Some(Value::String(refused)) = part.remove("refusal") {
                refusal.get_or_insert_default().push_str(&refused);
                continue;
            }
            match self.part(part, at, false)? {
                Part::Text { text: more } => text.push_str(&more),
                Part::ImageUrl { .. } => {}
            }
        }
        Ok(Content::Text(text))
    }

    fn content(&mut self, with_images: bool) -> Result<Content, ApiError> {
        let Some(content) = self.take("content")? else {
            return Err(self.refuse("content", "A message has a `content`."));
        };
        let content = match content {
            WireContent::Text(text) => Content::Text(text),
            WireContent::Parts(parts) => {
                let parts = parts.into_iter().enumerate().map(|(at, part)| self.part(part, at, with_images));
                Content::Parts(parts.collect::<Result<_, _>>()?)
            }
        };
        check::size(&content, &self.place("content"), self.bounds)?;
        Ok(content)
    }

    fn part(&self, mut part: Map<String, Value>, at: usize, with_images: bool) -> Result<Part, ApiError> {
        let place = self.place(&format!("content[{at}]"));
        let kind = part.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut value = |name: &str| part.remove(name).unwrap_or_default();
        match kind.as_str() {
            "text" => Ok(Part::Text { text: body::part(value("text"), &format!("{place}.text"))? }),
            "image_url" if with_images => {
                let WireImage { url, detail } = body::part(value("image_url"), &format!("{place}.image_url"))?;
                Ok(Part::ImageUrl { image_url: ImageUrl { url, detail } })
            }
            _ => {
                let known = if with_images { "text and image_url" } else { "text" };
                let message = format!("A part of type `{}` is not supported here: send {known}.", clip(&kind, 60));
                Err(ApiError::bad_request("unsupported_content", message).param(format!("{place}.type")))
            }
        }
    }

    fn take<T: serde::de::DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, ApiError> {
        match self.fields.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => body::part(value, &self.place(name)).map(Some),
        }
    }

    fn place(&self, name: &str) -> String {
        format!("{}.{name}", self.at)
    }

    fn refuse(&self, name: &str, message: &'static str) -> ApiError {
        ApiError::bad_request("invalid_value", message).param(self.place(name))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(messages: Value) -> Result<Vec<Message>, ApiError> {
        super::messages(serde_json::from_value(messages).unwrap(), &Bounds::default())
    }

    #[test]
    fn every_kind_of_message() {
        let read = read(json!([
            {"role": "developer", "content": [{"type": "text", "text": "be"}, {"type": "text", "text": "brief"}]},
            {"role": "user", "name": "Ann", "content": [
                {"type": "text", "text": "what is it?"},
                {"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "low"}},
            ]},
            {"role": "assistant", "content": null, "refusal": null, "audio": null, "function_call": null, "annotations": [],
             "reasoning_content": "hm", "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "look", "arguments": "{}"}}, {"id": "b", "function": {"name": "go"}},
            ]},
            {"role": "tool", "tool_call_id": "a", "content": "a cat"},
            {"role": "tool", "tool_call_id": "b", "content": [{"type": "text", "text": "gone"}]},
            {"role": "assistant", "content": [{"type": "text", "text": "a "}, {"type": "text", "text": "cat"}]},
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
            {"role": "system", "content": "go on"},
        ]))
        .unwrap();
        let call = |id: &str, name: &str, arguments: &str| ToolCall {
            id: id.into(),
            name: name.into(),
            arguments: arguments.into(),
        };
        let text = |text: &str| Part::Text { text: text.into() };
        let image = ImageUrl { url: "https://x/y.png".into(), detail: Some("low".into()) };
        let asked = Content::Parts(vec![text("what is it?"), Part::ImageUrl { image_url: image }]);
        let expected = [
            Message::new(Role::System, Content::Parts(vec![text("be"), text("brief")])),
            Message::new(Role::User, asked),
            Message {
                tool_calls: vec![call("a", "look", "{}"), call("b", "go", "")],
                reasoning: Some("hm".into()),
                ..Message::assistant("")
            },
            Message::tool("a", "a cat"),
            Message { content: Content::Parts(vec![text("gone")]), ..Message::tool("b", "") },
            Message::assistant("a cat"),
            Message { refusal: Some("no".into()), ..Message::assistant("") },
            Message::system("go on"),
        ];
        assert_eq!(read, expected);
    }

    #[test]
    fn what_does_not_fit_is_refused_where_it_stands() {
        let user = |content: Value| json!({"role": "user", "content": content});
        let table = [
            (json!({"content": "x"}), "invalid_value", "messages[1].role"),
            (json!({"role": "robot", "content": "x"}), "invalid_value", "messages[1].role"),
            (json!({"role": "function", "name": "f", "content": "x"}), "unsupported_message", "messages[1].role"),
            (json!({"role": "user"}), "invalid_value", "messages[1].content"),
            (user(json!(7)), "invalid_value", "messages[1].content"),
            (user(json!([{"type": "text"}])), "invalid_value", "messages[1].content[0].text"),
            (user(json!([{"type": "input_audio"}])), "unsupported_content", "messages[1].content[0].type"),
            (user(json!([{"type": "file"}])), "unsupported_content", "messages[1].content[0].type"),
            (
                user(json!([{"type": "image_url", "image_url": {}}])),
                "missing_field",
                "messages[1].content[0].image_url.url",
            ),
            (
                user(json!([{"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}])),
                "invalid_value",
                "messages[1].content[0].image_url.url",
            ),
            (json!({"role": "tool", "content": "x"}), "invalid_value", "messages[1].tool_call_id"),
            (json!({"role": "assistant", "audio": {"id": "a"}}), "unsupported_message", "messages[1].audio"),
            (
                json!({"role": "assistant", "tool_calls": [{"id": "a", "type": "custom", "custom": {}}]}),
                "unsupported_tool",
                "messages[1].tool_calls",
            ),
            (
                json!({"role": "assistant", "tool_calls": [{"function": {"name": "f"}}]}),
                "missing_field",
                "messages[1].tool_calls[0].id",
            ),
            (
                json!({"role": "system", "content": [{"type": "image_url", "image_url": {"url": "https://x"}}]}),
                "unsupported_content",
                "messages[1].content[0].type",
            ),
        ];
        for (message, code, param) in table {
            let error = read(json!([user(json!("before")), message])).unwrap_err();
            assert_eq!((error.code(), error.detail().param.as_deref()), (code, Some(param)), "{message}");
        }
        let large = read(json!([user(json!("x".repeat((4 << 20) + 1)))])).unwrap_err();
        assert_eq!((large.status().as_u16(), large.code()), (413, "message_too_large"));
    }
}
