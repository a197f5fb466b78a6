//! The body of a chat completion. What we send in a form of our own is taken out of it, what we could not give back is
//! refused by its name, and the rest goes to the upstream as it is.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use session::{id::SessionId, turn::Options};

use super::messages::messages;
use crate::{
    app::Bounds,
    body, check,
    completion::{Completion, session_id},
    error::{ApiError, clip},
    openai::request::{model, unsupported},
};

pub struct ChatRequest(pub Map<String, Value>);

#[derive(Debug)]
pub struct Wanted {
    pub completion: Completion,
    /// As the request has it.
    pub model: Option<String>,
    pub session: Option<SessionId>,
    pub stream: bool,
    pub include_usage: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StreamOptions {
    include_usage: Option<bool>,
}

impl ChatRequest {
    /// `header` is the session that the request's header names.
    pub fn wanted(mut self, header: Option<SessionId>, bounds: &Bounds) -> Result<Wanted, ApiError> {
        self.refuse_what_cannot_be_given_back()?;
        let session = self.session(header)?;
        // It asks the vendor to keep a copy. Where something is kept, it is kept here.
        self.0.remove("store");
        let name: Option<String> = self.take("model")?;
        let (config, model) = match &name {
            None => (None, None),
            Some(name) => model(name).map(|(config, model)| (Some(config), model))?,
        };
        let Some(list) = self.take::<Vec<Map<String, Value>>>("messages")? else {
            let message = "`messages` is missing: what is to be answered?";
            return Err(ApiError::bad_request("missing_required_parameter", message).param("messages"));
        };
        let messages = messages(list, bounds)?;
        let stream = self.take("stream")?.unwrap_or(false);
        let stream_options: StreamOptions = self.take("stream_options")?.unwrap_or_default();
        // The newer name stands above the older one.
        let older = self.take("max_tokens")?;
        let max_tokens = self.take("max_completion_tokens")?.or(older);
        let options = Options {
            model,
            system: None,
            tools: self.tools()?,
            tool_choice: self.take("tool_choice")?,
            temperature: self.take("temperature")?,
            top_p: self.take("top_p")?,
            max_tokens,
            stop: self.take("stop")?,
            response_format: self.take("response_format")?,
            seed: self.take("seed")?,
            extra: self.0,
        };
        check::options(&options)?;
        Ok(Wanted {
            completion: Completion { config, messages, options },
            model: name,
            session,
            stream,
            include_usage: stream_options.include_usage.unwrap_or(false),
        })
    }

    fn take<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, ApiError> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => body::part(value, name).map(Some),
        }
    }

    fn refuse_what_cannot_be_given_back(&mut self) -> Result<(), ApiError> {
        if self.take::<u64>("n")?.is_some_and(|n| n != 1) {
            return Err(unsupported(
                "n",
                "A completion has one choice here: `n` is 1. Send the request several times.",
            ));
        }
        if self.take::<bool>("logprobs")? == Some(true) {
            return Err(unsupported("logprobs", "`logprobs` is not supported. Leave it out."));
        }
        if self.take::<u64>("top_logprobs")?.is_some_and(|count| count > 0) {
            return Err(unsupported("top_logprobs", "`top_logprobs` is not supported. Leave it out."));
        }
        let modalities: Vec<String> = self.take("modalities")?.unwrap_or_default();
        if modalities.iter().any(|modality| modality != "text") {
            return Err(unsupported("modalities", "Answers are text here: `modalities` is [\"text\"]."));
        }
        let without = [
            ("audio", "Answers are text here, without `audio`."),
            ("functions", "`functions` is the older form of `tools`. Send `tools`."),
            ("function_call", "`function_call` is the older form of `tool_choice`. Send `tool_choice`."),
            ("moderation", "The results of `moderation` cannot be given back. Leave it out."),
        ];
        for (name, why) in without {
            if self.take::<Value>(name)?.is_some() {
                return Err(unsupported(name, why));
            }
        }
        Ok(())
    }

    /// `metadata.session_id` does what the header does; the rest of `metadata` has no effect.
    fn session(&mut self, header: Option<SessionId>) -> Result<Option<SessionId>, ApiError> {
        const NAME: &str = "metadata.session_id";
        let metadata: Map<String, Value> = self.take("metadata")?.unwrap_or_default();
        let Some(named) = metadata.get("session_id") else { return Ok(header) };
        let named = session_id(named.as_str().unwrap_or_default(), NAME)?;
        if header.as_ref().is_some_and(|header| *header != named) {
            let message =
                "The header X-Turnwise-Session names another session than `metadata.session_id`. Send one of the two.";
            return Err(ApiError::bad_request("mutually_exclusive_parameters", message).param(NAME));
        }
        Ok(Some(named))
    }

    fn tools(&mut self) -> Result<Option<Value>, ApiError> {
        let Some(tools) = self.take::<Vec<Value>>("tools")?.filter(|tools| !tools.is_empty()) else { return Ok(None) };
        for (at, tool) in tools.iter().enumerate() {
            let kind = tool.get("type").and_then(Value::as_str).unwrap_or("none");
            if kind != "function" {
                let message =
                    format!("A tool of type `{}` is not supported. Only `function` tools are.", clip(kind, 60));
                return Err(ApiError::bad_request("unsupported_tool", message).param(format!("tools[{at}].type")));
            }
        }
        Ok(Some(Value::Array(tools)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wanted(fields: Value) -> Result<Wanted, ApiError> {
        let mut body = json!({"model": "c", "messages": [{"role": "user", "content": "hi"}]});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        ChatRequest(body.as_object().unwrap().clone()).wanted(None, &Bounds::default())
    }

    #[test]
    fn what_has_a_place_among_our_options_goes_there_and_the_rest_beside_them() {
        let wanted = wanted(json!({
            "model": "c/m", "temperature": 0.5, "top_p": 0.25, "max_completion_tokens": 9, "max_tokens": 8, "seed": 7,
            "stop": ["x"], "tool_choice": "auto", "tools": [{"type": "function", "function": {"name": "f"}}],
            "response_format": {"type": "json_object"}, "stream": true, "stream_options": {"include_usage": true},
            "n": 1, "logprobs": false, "modalities": ["text"], "audio": null, "store": true, "metadata": {"k": "v"},
            "reasoning_effort": "low", "logit_bias": {"50256": -100}, "a_field_of_tomorrow": {"deep": [null]},
        }))
        .unwrap();
        let Completion { config, options, .. } = wanted.completion;
        assert_eq!((config.unwrap().as_str(), options.model.as_deref()), ("c", Some("m")));
        assert_eq!((options.temperature, options.top_p), (Some(0.5), Some(0.25)));
        assert_eq!((options.max_tokens, options.seed), (Some(9), Some(7)));
        assert_eq!((options.stop, options.tool_choice), (Some(json!(["x"])), Some(json!("auto"))));
        assert_eq!(options.tools.unwrap()[0]["function"]["name"], "f");
        assert_eq!(options.response_format.unwrap()["type"], "json_object");
        let beside = json!({
            "reasoning_effort": "low", "logit_bias": {"50256": -100}, "a_field_of_tomorrow": {"deep": [null]},
        });
        assert_eq!(Value::Object(options.extra), beside);
        assert!(wanted.stream && wanted.include_usage && wanted.session.is_none());
    }

    #[test]
    fn a_session_is_named_in_the_header_or_in_the_metadata() {
        let id = |text: &str| text.parse::<SessionId>().unwrap();
        let session = |header: Option<&str>, metadata: Value| {
            let messages = json!([{"role": "user", "content": "hi"}]);
            let fields = json!({"messages": messages, "metadata": metadata}).as_object().unwrap().clone();
            let wanted = ChatRequest(fields).wanted(header.map(id), &Bounds::default());
            wanted.map(|wanted| wanted.session).map_err(|error| error.code())
        };
        assert_eq!(session(None, json!({"session_id": "s"})), Ok(Some(id("s"))));
        assert_eq!(session(Some("s"), json!({"session_id": "s"})), Ok(Some(id("s"))));
        assert_eq!(session(Some("s"), json!(null)), Ok(Some(id("s"))));
        assert_eq!(session(None, json!({"other": "s"})), Ok(None));
        assert_eq!(session(Some("s"), json!({"session_id": "t"})), Err("mutually_exclusive_parameters"));
        for bad in [json!("a b"), json!(""), json!(7)] {
            assert_eq!(session(None, json!({"session_id": bad})), Err("invalid_session_id"));
        }
    }

    #[test]
    fn what_cannot_be_given_back_or_does_not_fit_is_refused_by_name() {
        let table = [
            (json!({"n": 2}), "unsupported_parameter", "n"),
            (json!({"logprobs": true}), "unsupported_parameter", "logprobs"),
            (json!({"top_logprobs": 3}), "unsupported_parameter", "top_logprobs"),
            (json!({"modalities": ["text", "audio"]}), "unsupported_parameter", "modalities"),
            (json!({"audio": {"voice": "x"}}), "unsupported_parameter", "audio"),
            (json!({"functions": []}), "unsupported_parameter", "functions"),
            (json!({"function_call": "auto"}), "unsupported_parameter", "function_call"),
            (json!({"moderation": {"model": "x"}}), "unsupported_parameter", "moderation"),
            (json!({"tools": [{"type": "custom"}]}), "unsupported_tool", "tools[0].type"),
            (json!({"tools": {}}), "invalid_value", "tools"),
            (json!({"temperature": "hot"}), "invalid_value", "temperature"),
            (json!({"temperature": 3}), "invalid_value", "temperature"),
            (json!({"max_completion_tokens": 0}), "invalid_value", "max_tokens"),
            (json!({"stream": "yes"}), "invalid_value", "stream"),
            (json!({"model": "gpt 4"}), "model_not_found", "model"),
            (json!({"messages": null}), "missing_required_parameter", "messages"),
            (json!({"messages": []}), "invalid_value", "messages"),
            (json!({"messages": ["hi"]}), "invalid_value", "messages[0]"),
        ];
        for (fields, code, param) in table {
            let error = wanted(fields.clone()).unwrap_err();
            assert_eq!((error.code(), error.detail().param.as_deref()), (code, Some(param)), "{fields}");
        }
    }
}
