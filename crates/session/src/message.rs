//! What is said in a session: role, content and, where needed, tool calls.

use std::{collections::HashSet, fmt};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, SeqAccess, Visitor, value::SeqAccessDeserializer},
};

use crate::{
    id::{MessageId, SessionId, TurnId},
    time::Time,
    words::words,
};

words! {
    pub enum Role {
        System = "system",
        User = "user",
        Assistant = "assistant",
        Tool = "tool",
    }
}

/// Plain text, or a list of parts in the order in which they are shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Content {
    Text(String),
    Parts(Vec<Part>),
}

/// One part of a message, in the chat-completions format.
/// <https://platform.openai.com/docs/api-reference/chat/create>
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Part {
    Text { text: String },
    ImageUrl { image_url: ImageUrl },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageUrl {
    /// `https://…`, or `data:image/…;base64,…`.
    pub url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Content {
    pub fn is_empty(&self) -> bool {
        match self {
            Content::Text(text) => text.is_empty(),
            Content::Parts(parts) => parts.iter().all(|part| matches!(part, Part::Text { text } if text.is_empty())),
        }
    }

    /// The words alone, parts joined by newlines: what is searched, counted and shown in a plain listing.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        match self {
            Content::Text(text) => text.as_str().into(),
            Content::Parts(parts) => {
                let texts: Vec<&str> = parts
                    .iter()
                    .filter_map(|part| match part {
                        Part::Text { text } => Some(text.as_str()),
                        Part::ImageUrl { .. } => None,
                    })
                    .collect();
                texts.join("\n").into()
            }
        }
    }
}

/// Not derived: that would forget which part does not fit, and why.
impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor)
    }
}

struct ContentVisitor;

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Content;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(concat!(
            r#"a text, or a list of parts: {"type": "text", "text": …} "#,
            r#"or {"type": "image_url", "image_url": {"url": …}}"#
        ))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Content, E> {
        Ok(Content::Text(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Content, E> {
        Ok(Content::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, parts: A) -> Result<Content, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(parts)).map(Content::Parts)
    }
}

impl Content {
    fn go_on(&mut self, next: Content) {
        if next.is_empty() {
            return;
        }
        match (&mut *self, next) {
            (said, next) if said.is_empty() => *said = next,
            (Content::Text(said), Content::Text(next)) => append(said, &next),
            (said, next) => {
                let parts = std::mem::replace(said, Content::Parts(Vec::new())).into_parts();
                *said = Content::Parts(parts.into_iter().chain(next.into_parts()).collect());
            }
        }
    }

    fn into_parts(self) -> Vec<Part> {
        match self {
            Content::Text(text) => vec![Part::Text { text }],
            Content::Parts(parts) => parts,
        }
    }
}

/// As a paragraph of its own.
fn append(said: &mut String, next: &str) {
    if !said.is_empty() && !next.is_empty() {
        said.push_str("\n\n");
    }
    said.push_str(next);
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        Content::Text(text.to_owned())
    }
}

/// A function that the model wants called.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolCall {
    pub id: String,
    pub name: String,
    /// What the model wrote, JSON if it kept to its instructions.
    pub arguments: String,
}

impl ToolCall {
    /// Whether the arguments are a JSON object to its end: nothing can follow.
    pub fn is_whole(&self) -> bool {
        self.arguments.trim_start().starts_with('{')
            && serde_json::from_str::<serde::de::IgnoredAny>(&self.arguments).is_ok()
    }
}

/// A message without its place: what is said, not where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub role: Role,
    pub content: Content,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCall>,
    /// The call that a `tool` message answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_call_id: Option<String>,
    /// What the model thought before it answered, where the upstream shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// The numbers of tool calls that were deleted: those that are left keep theirs.
    #[serde(skip)]
    pub deleted_calls: Vec<u32>,
}

/// What can be deleted of a message by itself, in the order in which models answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MessagePart {
    Reasoning,
    /// The words and the refusal; of a message that is nobody's answer, all of it.
    Text,
    /// By its number in the message, from 0.
    ToolCall(u32),
}

impl Message {
    pub fn new(role: Role, content: Content) -> Self {
        Message {
            role,
            content,
            tool_calls: Vec::new(),
            tool_call_id: None,
            reasoning: None,
            refusal: None,
            deleted_calls: Vec::new(),
        }
    }

    pub fn system(text: &str) -> Self {
        Self::new(Role::System, text.into())
    }

    pub fn user(text: &str) -> Self {
        Self::new(Role::User, text.into())
    }

    pub fn assistant(text: &str) -> Self {
        Self::new(Role::Assistant, text.into())
    }

    pub fn tool(tool_call_id: &str, content: &str) -> Self {
        Message { tool_call_id: Some(tool_call_id.to_owned()), ..Self::new(Role::Tool, content.into()) }
    }

    /// Adds what the same speaker says next.
    pub fn go_on(&mut self, next: Message) {
        self.content.go_on(next.content);
        self.tool_calls.extend(next.tool_calls);
        for (said, more) in [(&mut self.reasoning, next.reasoning), (&mut self.refusal, next.refusal)] {
            match (said, more) {
                (Some(said), Some(more)) => append(said, &more),
                (said, more) => *said = said.take().or(more),
            }
        }
    }

    /// True when a later turn has something to read in it.
    pub fn says_something(&self) -> bool {
        !self.content.is_empty() || !self.tool_calls.is_empty() || self.refusal.as_ref().is_some_and(|r| !r.is_empty())
    }

    /// The number of the tool call at this place of `tool_calls`.
    pub fn call_number(&self, at: usize) -> u32 {
        (0..).filter(|number| !self.deleted_calls.contains(number)).nth(at).unwrap_or(u32::MAX)
    }

    /// Takes a part away; false when there is no such part.
    pub fn delete(&mut self, part: MessagePart) -> bool {
        match part {
            MessagePart::Text if self.role != Role::Assistant => {
                *self = Message::new(self.role, "".into());
                true
            }
            MessagePart::Text => {
                let text = std::mem::replace(&mut self.content, "".into());
                let refusal = self.refusal.take();
                !text.is_empty() || refusal.is_some()
            }
            MessagePart::Reasoning => self.reasoning.take().is_some(),
            MessagePart::ToolCall(number) => {
                let Some(at) = (0..self.tool_calls.len()).find(|at| self.call_number(*at) == number) else {
                    return false;
                };
                self.tool_calls.remove(at);
                self.deleted_calls.push(number);
                true
            }
        }
    }

    /// Nothing is left of it.
    pub fn is_empty(&self) -> bool {
        self.content.is_empty() && self.tool_calls.is_empty() && self.reasoning.is_none() && self.refusal.is_none()
    }
}

/// The calls that these messages answer and do not make themselves: they were made before.
pub fn answered_before<'a>(messages: impl Iterator<Item = &'a Message> + Clone) -> HashSet<&'a str> {
    let made: HashSet<&str> =
        messages.clone().flat_map(|message| &message.tool_calls).map(|call| call.id.as_str()).collect();
    messages.filter_map(|message| message.tool_call_id.as_deref()).filter(|call| !made.contains(call)).collect()
}

/// A message in its place, as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoredMessage {
    pub id: MessageId,
    pub session_id: SessionId,
    pub turn_id: TurnId,
    #[serde(flatten)]
    pub message: Message,
    pub timestamp: Time,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> Message {
        let call = |id: &str| ToolCall { id: id.into(), name: "f".into(), arguments: "{}".into() };
        let tool_calls = vec![call("a"), call("b"), call("c")];
        Message { tool_calls, reasoning: Some("hm".into()), ..Message::assistant("said") }
    }

    fn numbered(answer: &Message) -> Vec<(u32, &str)> {
        let calls = answer.tool_calls.iter().enumerate();
        calls.map(|(at, call)| (answer.call_number(at), call.id.as_str())).collect()
    }

    #[test]
    fn the_calls_that_are_left_keep_their_numbers() {
        let mut answer = answer();
        assert_eq!(numbered(&answer), [(0, "a"), (1, "b"), (2, "c")]);
        assert!(answer.delete(MessagePart::ToolCall(1)));
        assert_eq!(numbered(&answer), [(0, "a"), (2, "c")]);
        assert!(!answer.delete(MessagePart::ToolCall(1)), "it is gone");
        assert!(answer.delete(MessagePart::ToolCall(0)));
        assert_eq!(numbered(&answer), [(2, "c")]);
        assert!(!answer.delete(MessagePart::ToolCall(3)), "there never was one");
        assert!(answer.delete(MessagePart::ToolCall(2)));
        assert_eq!(numbered(&answer), []);
    }

    #[test]
    fn an_answer_is_gone_with_its_last_part() {
        let mut answer = answer();
        for part in [MessagePart::ToolCall(0), MessagePart::Text, MessagePart::ToolCall(2), MessagePart::ToolCall(1)] {
            assert!(answer.delete(part) && !answer.is_empty(), "{part:?}");
            assert!(!answer.delete(part), "{part:?}, once more");
        }
        assert!(answer.delete(MessagePart::Reasoning) && answer.is_empty());
    }

    #[test]
    fn a_refusal_goes_with_the_words() {
        let mut answer = answer();
        answer.content = "".into();
        answer.refusal = Some("no".into());
        assert!(answer.delete(MessagePart::Text));
        assert_eq!(answer.refusal, None);
    }

    #[test]
    fn what_was_asked_goes_whole_and_so_does_a_result_that_says_nothing() {
        for mut message in [Message::user("u"), Message::tool("a", ""), Message::system("s")] {
            assert!(!message.delete(MessagePart::Reasoning) && !message.delete(MessagePart::ToolCall(0)));
            assert!(message.delete(MessagePart::Text) && message.is_empty());
            assert_eq!(message.tool_call_id, None);
        }
    }
}
