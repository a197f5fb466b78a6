//! From a prompt to the request body. Keys are in alphabetical order, so that the same prompt always gives the same bytes.
//!
//! Least to most: our own fields, the config's `params`, the turn's options, `extra`. `extra` wins over everything but
//! `messages`, `model` and `stream`, which neither it nor `params` can change. Of our own fields `stream_options` can be
//! taken out with a null, for an upstream that refuses it.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};
use session::{
    history::Prompt,
    message::{Content, Message, Part, Role},
    turn::Options,
};

use crate::presets::Quirks;

const FIXED: [&str; 3] = ["messages", "model", "stream"];
const TOKEN_LIMITS: [&str; 2] = ["max_tokens", "max_completion_tokens"];

pub fn write(quirks: &Quirks, prompt: &Prompt) -> Bytes {
    let mut fields: BTreeMap<&str, Field> = BTreeMap::new();
    if quirks.include_usage {
        fields.insert("stream_options", json!({"include_usage": true}).into());
    }
    let free = |(name, _): &(&String, _)| !FIXED.contains(&name.as_str());
    fields.extend(prompt.params.iter().filter(free).map(|(name, value)| (name.as_str(), value.into())));
    options(&prompt.options, quirks, &mut fields);
    fields.extend(prompt.options.extra.iter().filter(free).map(|(name, value)| (name.as_str(), value.into())));
    fields.retain(|name, field| *name != "stream_options" || !field.is_null());
    fields.insert("messages", Field::Messages(messages(&prompt.messages, quirks)));
    fields.insert("model", json!(prompt.model).into());
    fields.insert("stream", json!(true).into());
    let mut body = Vec::with_capacity(prompt.messages.iter().map(|message| room(message)).sum());
    // Maps with text for keys and values made of JSON: nothing here can fail to be written.
    let _ = serde_json::to_writer(&mut body, &fields);
    body.into()
}

/// About what a message takes in the body: growing step by step would copy it several times.
fn room(message: &Message) -> usize {
    const AROUND: usize = 64;
    message.content.text().len() * 9 / 8 + AROUND
}

fn options<'a>(options: &'a Options, quirks: &Quirks, fields: &mut BTreeMap<&'a str, Field<'a>>) {
    let values = [("response_format", &options.response_format), ("stop", &options.stop), ("tools", &options.tools)];
    let values = values.into_iter().chain([("tool_choice", &options.tool_choice)]);
    fields.extend(values.filter_map(|(name, value)| Some((name, value.as_ref()?.into()))));
    let numbers = [
        ("temperature", options.temperature.map(|n| json!(n))),
        ("top_p", options.top_p.map(|n| json!(n))),
        ("seed", options.seed.map(|n| json!(n))),
    ];
    fields.extend(numbers.into_iter().filter_map(|(name, value)| Some((name, value?.into()))));
    if let Some(most) = options.max_tokens {
        // Upstreams refuse both at once, and the config may have set the one that this upstream calls otherwise.
        fields.retain(|name, _| !TOKEN_LIMITS.contains(name));
        fields.insert(quirks.max_tokens, json!(most).into());
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Field<'a> {
    Value(Cow<'a, Value>),
    Messages(Vec<WireMessage<'a>>),
}

impl Field<'_> {
    fn is_null(&self) -> bool {
        matches!(self, Field::Value(value) if value.is_null())
    }
}

impl From<Value> for Field<'_> {
    fn from(value: Value) -> Self {
        Field::Value(Cow::Owned(value))
    }
}

impl<'a> From<&'a Value> for Field<'a> {
    fn from(value: &'a Value) -> Self {
        Field::Value(Cow::Borrowed(value))
    }
}

#[derive(Serialize)]
struct WireMessage<'a> {
    /// Null beside tool calls, as the models themselves send it.
    content: Option<WireContent<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<&'a str>,
    role: Role,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<WireCall<'a>>,
}

/// Text alone goes as a plain string: not every upstream takes parts.
#[derive(Serialize)]
#[serde(untagged)]
enum WireContent<'a> {
    Text(Cow<'a, str>),
    Parts(&'a [Part]),
}

#[derive(Serialize)]
struct WireCall<'a> {
    function: WireFunction<'a>,
    id: &'a str,
    r#type: &'static str,
}

#[derive(Serialize)]
struct WireFunction<'a> {
    arguments: &'a str,
    name: &'a str,
}

fn messages<'a>(messages: &'a [Arc<Message>], quirks: &Quirks) -> Vec<WireMessage<'a>> {
    let mut wire: Vec<WireMessage> = messages.iter().map(|said| message(said)).collect();
    if let Some(stand_in) = quirks.reasoning_back {
        give_reasoning_back(messages, &mut wire, stand_in);
    }
    wire
}

fn message(message: &Message) -> WireMessage<'_> {
    let tool_calls: Vec<WireCall> = message
        .tool_calls
        .iter()
        .map(|call| WireCall {
            function: WireFunction {
                arguments: if call.arguments.is_empty() { "{}" } else { &call.arguments },
                name: &call.name,
            },
            id: &call.id,
            r#type: "function",
        })
        .collect();
    let content = match &message.content {
        content if content.is_empty() => match &message.refusal {
            Some(refusal) => Some(WireContent::Text(refusal.into())),
            None => tool_calls.is_empty().then_some(WireContent::Text("".into())),
        },
        Content::Parts(parts) if parts.iter().any(|part| !matches!(part, Part::Text { .. })) => {
            Some(WireContent::Parts(parts))
        }
        content => Some(WireContent::Text(content.text())),
    };
    WireMessage {
        content,
        reasoning_content: None,
        role: message.role,
        tool_call_id: message.tool_call_id.as_deref(),
        tool_calls,
    }
}

/// Between two user messages of which the model called tools, all that it thought goes back, in later turns too: a
/// prefix that changed would not be cached. Elsewhere it is of no use to the upstream.
fn give_reasoning_back<'a>(messages: &'a [Arc<Message>], wire: &mut [WireMessage<'a>], stand_in: &'static str) {
    let mut start = 0;
    for end in 1..=messages.len() {
        if end < messages.len() && messages[end].role != Role::User {
            continue;
        }
        let turn = start..end;
        start = end;
        if !messages[turn.clone()].iter().any(|message| !message.tool_calls.is_empty()) {
            continue;
        }
        for (message, wire) in messages[turn.clone()].iter().zip(&mut wire[turn]) {
            let thought = message.reasoning.as_deref().filter(|text| !text.is_empty());
            if message.role == Role::Assistant {
                wire.reasoning_content = thought.or((!message.tool_calls.is_empty()).then_some(stand_in));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use session::message::{ImageUrl, ToolCall};

    use super::*;
    use crate::presets::preset;

    fn prompt(messages: Vec<Message>) -> Prompt {
        let messages = messages.into_iter().map(Arc::new).collect();
        Prompt { model: "m".into(), messages, params: Default::default(), options: Options::default() }
    }

    fn body(provider: &str, prompt: &Prompt) -> String {
        String::from_utf8(write(&preset(provider).unwrap().quirks, prompt).to_vec()).unwrap()
    }

    fn thinking(text: &str, reasoning: &str, call: bool) -> Message {
        let call = call.then(|| ToolCall { id: "c".into(), name: "f".into(), arguments: String::new() });
        let reasoning = Some(reasoning.to_owned()).filter(|text| !text.is_empty());
        Message { reasoning, tool_calls: call.into_iter().collect(), ..Message::assistant(text) }
    }

    #[test]
    fn every_kind_of_message() {
        let image = Part::ImageUrl { image_url: ImageUrl { url: "data:image/png;base64,AA".into(), detail: None } };
        let text = |text: &str| Part::Text { text: text.into() };
        let messages = vec![
            Message::system("be brief"),
            Message::new(Role::User, Content::Parts(vec![text("what"), image])),
            thinking("", "hm", true),
            Message::tool("c", "42"),
            thinking("it is 42", "so", false),
            Message::new(Role::User, Content::Parts(vec![text("a"), text("b")])),
            Message { refusal: Some("I won't".into()), ..Message::assistant("") },
            Message::user("你好"),
        ];
        insta::assert_snapshot!(body("vllm", &prompt(messages)).replace("},{", "},\n{"), @r#"
        {"messages":[{"content":"be brief","role":"system"},
        {"content":[{"type":"text","text":"what"},
        {"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}],"role":"user"},
        {"content":null,"role":"assistant","tool_calls":[{"function":{"arguments":"{}","name":"f"},"id":"c","type":"function"}]},
        {"content":"42","role":"tool","tool_call_id":"c"},
        {"content":"it is 42","role":"assistant"},
        {"content":"a\nb","role":"user"},
        {"content":"I won't","role":"assistant"},
        {"content":"你好","role":"user"}],"model":"m","stream":true,"stream_options":{"include_usage":true}}
        "#);
    }

    #[test]
    fn options_stand_above_params_and_extra_above_both() {
        let mut prompt = prompt(vec![Message::user("hi")]);
        let object = |value: Value| value.as_object().unwrap().clone();
        prompt.params = object(json!({
            "temperature": 0.1, "top_k": 5, "max_tokens": 10, "model": "x", "stream": false, "messages": [],
            "stream_options": {"include_usage": false},
        }));
        prompt.options = Options {
            temperature: Some(0.5),
            max_tokens: Some(20),
            seed: Some(7),
            tools: Some(json!([{"type": "function"}])),
            extra: object(json!({"seed": 8, "thinking": {"type": "disabled"}, "model": "y", "stream": false})),
            ..Options::default()
        };
        insta::assert_snapshot!(body("openai", &prompt), @r#"{"max_completion_tokens":20,"messages":[{"content":"hi","role":"user"}],"model":"m","seed":8,"stream":true,"stream_options":{"include_usage":false},"temperature":0.5,"thinking":{"type":"disabled"},"tools":[{"type":"function"}],"top_k":5}"#);
        insta::assert_snapshot!(body("zhipu", &Prompt { params: Default::default(), ..prompt }), @r#"{"max_tokens":20,"messages":[{"content":"hi","role":"user"}],"model":"m","seed":8,"stream":true,"temperature":0.5,"thinking":{"type":"disabled"},"tools":[{"type":"function"}]}"#);
    }

    #[test]
    fn a_null_takes_stream_options_out() {
        let mut prompt = prompt(vec![]);
        assert!(body("vllm", &prompt).contains("stream_options"));
        prompt.options.extra.insert("stream_options".into(), Value::Null);
        prompt.options.extra.insert("seed".into(), Value::Null);
        assert_eq!(body("vllm", &prompt), r#"{"messages":[],"model":"m","seed":null,"stream":true}"#);
    }

    #[test]
    fn reasoning_goes_back_only_for_turns_with_tool_calls() {
        let messages = vec![
            Message::user("1"),
            thinking("one", "A", false),
            Message::user("2"),
            thinking("", "B", true),
            Message::tool("c", "x"),
            thinking("", "", true),
            Message::tool("c", "y"),
            thinking("two", "C", false),
            Message::user("3"),
        ];
        let given = |provider: &str| -> Vec<Value> {
            let body: Value = serde_json::from_str(&body(provider, &prompt(messages.clone()))).unwrap();
            let messages = body["messages"].as_array().unwrap().clone();
            messages.into_iter().filter(|m| m["role"] == "assistant").map(|m| m["reasoning_content"].clone()).collect()
        };
        assert_eq!(given("deepseek"), [Value::Null, json!("B"), json!(""), json!("C")]);
        assert_eq!(given("moonshot"), [Value::Null, json!("B"), json!(" "), json!("C")]);
        assert_eq!(given("openai"), vec![Value::Null; 4]);
    }
}
