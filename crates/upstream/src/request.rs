//! What the fake server received.

use std::{sync::OnceLock, time::Instant};

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug)]
pub struct Request {
    /// POST requests count from 1; anything else is 0.
    pub number: usize,
    pub method: Method,
    /// With the query, as sent.
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub received: Instant,
    asks: Asks,
    json: OnceLock<Value>,
}

/// What an answer depends on. Read without building the whole body, which a benchmark could not afford.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asks {
    model: Option<String>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StreamOptions {
    include_usage: Option<bool>,
}

impl Request {
    pub(crate) fn new(method: Method, path: String, headers: HeaderMap, body: Bytes) -> Request {
        Request {
            number: 0,
            method,
            path,
            headers,
            received: Instant::now(),
            asks: serde_json::from_slice(&body).unwrap_or_default(),
            json: OnceLock::new(),
            body,
        }
    }

    /// A chat-completions request that nobody sent, to render scripts with.
    pub fn sample(body: &Value) -> Request {
        let mut request =
            Request::new(Method::POST, "/v1/chat/completions".into(), HeaderMap::new(), body.to_string().into());
        request.number = 1;
        request
    }

    /// The body, or `Null` when it is not JSON.
    pub fn json(&self) -> &Value {
        self.json.get_or_init(|| serde_json::from_slice(&self.body).unwrap_or_default())
    }

    pub fn model(&self) -> &str {
        self.asks.model.as_deref().unwrap_or("unnamed")
    }

    pub fn streams(&self) -> bool {
        self.asks.stream.unwrap_or(false)
    }

    pub fn wants_usage(&self) -> bool {
        self.asks.stream_options.as_ref().and_then(|options| options.include_usage).unwrap_or(false)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The key of `Authorization: Bearer …`.
    pub fn bearer(&self) -> Option<&str> {
        self.header("authorization")?.strip_prefix("Bearer ")
    }

    /// Role and text of each message; of a list of parts, the text parts joined.
    pub fn messages(&self) -> Vec<(String, String)> {
        let messages = self.json()["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
        messages.iter().map(|message| (text(&message["role"]), text(&message["content"]))).collect()
    }

    /// The text of the last message of the user, or nothing.
    pub fn last_user_message(&self) -> String {
        let mut messages = self.messages();
        messages.reverse();
        messages.into_iter().find(|(role, _)| role == "user").map(|(_, text)| text).unwrap_or_default()
    }

    pub(crate) fn is_completion(&self) -> bool {
        self.method == Method::POST && self.path_only().ends_with("/chat/completions")
    }

    pub(crate) fn is_model_list(&self) -> bool {
        self.method == Method::GET && self.path_only().ends_with("/models")
    }

    fn path_only(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn messages_read_strings_parts_and_null() {
        let request = Request::sample(&json!({"messages": [
            {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url"}, {"type": "text", "text": "b"}]},
            {"role": "assistant", "content": null},
        ]}));
        assert_eq!(request.messages(), [("user".into(), "ab".into()), ("assistant".into(), String::new())]);
        assert_eq!(request.last_user_message(), "ab");
    }
}
