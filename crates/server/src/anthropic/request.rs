//! The body of Anthropic's messages, in our words. What we do not do is refused by its name; what can make no difference
//! here is taken and has no effect (docs/anthropic.md says which).
//! <https://docs.anthropic.com/en/api/messages>

use scheduler::MESSAGES_MAX;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use session::{message::Message, tokens, turn::Options};

use super::blocks::{self, WireContent};
use crate::{
    app::Bounds,
    body, check,
    completion::Completion,
    error::{ApiError, clip},
    openai::model,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessagesRequest {
    model: String,
    messages: Vec<Map<String, Value>>,
    max_tokens: Option<u64>,
    system: Option<WireContent>,
    tools: Option<Vec<Map<String, Value>>>,
    tool_choice: Option<ToolChoice>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    top_k: Option<u64>,
    stop_sequences: Option<Vec<String>>,
    stream: Option<bool>,
    thinking: Option<Thinking>,
    output_config: Option<OutputConfig>,
    #[serde(rename = "metadata")]
    _metadata: Option<Metadata>,
    #[serde(rename = "service_tier")]
    _service_tier: Option<String>,
    #[serde(rename = "cache_control")]
    _cache_control: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Metadata {
    #[serde(rename = "user_id")]
    _user_id: Option<String>,
}

/// How long a model thinks has no common word; only whether it is to be seen does something here.
#[derive(Debug, Deserialize)]
struct Thinking {
    r#type: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct OutputConfig {
    effort: Option<String>,
    format: Option<OutputFormat>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum OutputFormat {
    JsonSchema { schema: Value },
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum ToolChoice {
    Auto { disable_parallel_tool_use: Option<bool> },
    Any { disable_parallel_tool_use: Option<bool> },
    Tool { name: String, disable_parallel_tool_use: Option<bool> },
    None {},
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tool {
    name: String,
    description: Option<String>,
    input_schema: Value,
    strict: Option<bool>,
    #[serde(rename = "type")]
    _type: Option<String>,
    #[serde(rename = "cache_control")]
    _cache_control: Option<Value>,
    #[serde(rename = "eager_input_streaming")]
    _eager_input_streaming: Option<bool>,
}

#[derive(Debug)]
pub struct Wanted {
    pub completion: Completion,
    /// As the request has it.
    pub model: String,
    pub stream: bool,
    /// Whether what the model thinks is given back.
    pub thinking: bool,
}

impl MessagesRequest {
    pub fn require_max_tokens(&self) -> Result<(), ApiError> {
        match self.max_tokens {
            Some(_) => Ok(()),
            None => {
                Err(ApiError::bad_request("missing_field", "The field `max_tokens` is missing.").param("max_tokens"))
            }
        }
    }

    pub fn wanted(self, bounds: &Bounds) -> Result<Wanted, ApiError> {
        let (config, model) = model(&self.model)?;
        let OutputConfig { effort, format } = self.output_config.unwrap_or_default();
        let (tool_choice, one_at_a_time) = self.tool_choice.map_or((None, false), tool_choice);
        let mut extra = Map::new();
        extra.extend(self.top_k.map(|top_k| ("top_k".to_owned(), json!(top_k))));
        extra.extend(effort.map(|effort| ("reasoning_effort".to_owned(), json!(effort))));
        extra.extend(one_at_a_time.then(|| ("parallel_tool_calls".to_owned(), json!(false))));
        let options = Options {
            model,
            tools: self.tools.filter(|tools| !tools.is_empty()).map(tools).transpose()?,
            tool_choice,
            temperature: self.temperature,
            top_p: self.top_p,
            max_tokens: self.max_tokens,
            stop: self.stop_sequences.filter(|stop| !stop.is_empty()).map(|stop| json!(stop)),
            response_format: format.map(|OutputFormat::JsonSchema { schema }| {
                json!({"type": "json_schema", "json_schema": {"name": "output", "schema": schema, "strict": true}})
            }),
            extra,
            ..Options::default()
        };
        check::options(&options)?;
        let messages = messages(self.system, self.messages, bounds)?;
        Ok(Wanted {
            completion: Completion { config: Some(config), messages, options },
            model: self.model,
            stream: self.stream.unwrap_or(false),
            thinking: self.thinking.is_none_or(|thinking| thinking.r#type != "disabled"),
        })
    }
}

fn messages(
    system: Option<WireContent>,
    list: Vec<Map<String, Value>>,
    bounds: &Bounds,
) -> Result<Vec<Message>, ApiError> {
    if list.is_empty() || list.len() > MESSAGES_MAX {
        let message = format!("`messages` has 1 to {MESSAGES_MAX} messages.");
        return Err(ApiError::bad_request("invalid_value", message).param("messages"));
    }
    let mut messages = Vec::new();
    messages.extend(system.map(|system| blocks::system(system, "system", bounds)).transpose()?);
    for (at, message) in list.into_iter().enumerate() {
        messages.extend(blocks::messages(message, &format!("messages[{at}]"), bounds)?);
    }
    Ok(messages)
}

fn tools(tools: Vec<Map<String, Value>>) -> Result<Value, ApiError> {
    let tools = tools.into_iter().enumerate().map(|(at, tool)| {
        let kind = tool.get("type").and_then(Value::as_str).unwrap_or("custom");
        if kind != "custom" {
            let message = format!(
                "A tool of type `{}` is not supported: only tools that the client runs itself, with a name and an input_schema, are.",
                clip(kind, 60)
            );
            return Err(ApiError::bad_request("unsupported_tool", message).param(format!("tools[{at}].type")));
        }
        let Tool { name, description, input_schema, strict, .. } = body::part(tool.into(), &format!("tools[{at}]"))?;
        let mut function = json!({"name": name, "parameters": input_schema});
        if let Some(description) = description {
            function["description"] = description.into();
        }
        if let Some(strict) = strict {
            function["strict"] = strict.into();
        }
        Ok(json!({"type": "function", "function": function}))
    });
    Ok(Value::Array(tools.collect::<Result<_, _>>()?))
}

/// In chat completions' form, and whether the model is to make one call at a time.
fn tool_choice(choice: ToolChoice) -> (Option<Value>, bool) {
    let (choice, alone) = match choice {
        ToolChoice::Auto { disable_parallel_tool_use } => (json!("auto"), disable_parallel_tool_use),
        ToolChoice::Any { disable_parallel_tool_use } => (json!("required"), disable_parallel_tool_use),
        ToolChoice::Tool { name, disable_parallel_tool_use } => {
            (json!({"type": "function", "function": {"name": name}}), disable_parallel_tool_use)
        }
        ToolChoice::None {} => (json!("none"), None),
    };
    (Some(choice), alone.unwrap_or(false))
}

/// About what a request takes of a model's window.
pub fn tokens(completion: &Completion) -> u64 {
    let said: u64 = completion.messages.iter().map(|message| u64::from(tokens::of_message(message))).sum();
    let tools = completion.options.tools.as_ref().map_or(0, |tools| tokens::count(&tools.to_string()));
    said + u64::from(tools)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(fields: Value) -> Result<Wanted, ApiError> {
        let mut body = json!({"model": "c", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        body::part::<MessagesRequest>(body, "body")?.wanted(&Bounds::default())
    }

    #[test]
    fn what_was_asked_for_has_the_form_of_chat_completions() {
        let schema = json!({"type": "object", "properties": {"x": {"type": "string"}}});
        let wanted = wanted(json!({
            "model": "c/m", "system": [{"type": "text", "text": "be", "cache_control": {"type": "ephemeral"}}, {"type": "text", "text": "brief"}],
            "tools": [
                {"name": "f", "description": "d", "input_schema": schema, "strict": true, "cache_control": null},
                {"type": "custom", "name": "g", "input_schema": {"type": "object"}, "eager_input_streaming": true},
            ],
            "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": true},
            "temperature": 0.5, "top_p": 0.25, "top_k": 7, "stop_sequences": ["x", "y"], "stream": true,
            "thinking": {"type": "enabled", "budget_tokens": 2048}, "metadata": {"user_id": "u"}, "service_tier": "auto",
            "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {"type": "object"}}},
        }))
        .unwrap();
        let Completion { config, messages, options } = wanted.completion;
        assert_eq!((config.unwrap().as_str(), options.model.as_deref()), ("c", Some("m")));
        assert_eq!(messages, [Message::system("be\n\nbrief"), Message::user("hi")]);
        let functions = json!([
            {"type": "function", "function": {"name": "f", "description": "d", "parameters": schema, "strict": true}},
            {"type": "function", "function": {"name": "g", "parameters": {"type": "object"}}},
        ]);
        assert_eq!(options.tools, Some(functions));
        assert_eq!(options.tool_choice, Some(json!({"type": "function", "function": {"name": "f"}})));
        assert_eq!((options.temperature, options.top_p, options.max_tokens), (Some(0.5), Some(0.25), Some(9)));
        assert_eq!(options.stop, Some(json!(["x", "y"])));
        let format = json!({"name": "output", "schema": {"type": "object"}, "strict": true});
        assert_eq!(options.response_format, Some(json!({"type": "json_schema", "json_schema": format})));
        let extra = json!({"top_k": 7, "reasoning_effort": "low", "parallel_tool_calls": false});
        assert_eq!(Value::Object(options.extra), extra);
        assert!(wanted.stream && wanted.thinking);
        assert_eq!(wanted.model, "c/m");
    }

    #[test]
    fn a_choice_of_tools_has_its_word() {
        let choice = |choice: Value| wanted(json!({"tool_choice": choice})).unwrap().completion.options;
        for (theirs, ours) in [("auto", "auto"), ("any", "required"), ("none", "none")] {
            let options = choice(json!({"type": theirs}));
            assert_eq!((options.tool_choice, options.extra.is_empty()), (Some(json!(ours)), true));
        }
        let alone = choice(json!({"type": "auto", "disable_parallel_tool_use": true}));
        assert_eq!(alone.extra["parallel_tool_calls"], false);
    }

    #[test]
    fn thinking_is_given_back_unless_it_is_disabled() {
        let shown = |thinking: Value| wanted(json!({"thinking": thinking})).unwrap().thinking;
        assert!(shown(Value::Null) && shown(json!({"type": "adaptive"})));
        assert!(!shown(json!({"type": "disabled"})));
    }

    #[test]
    fn what_does_not_fit_is_refused_by_name() {
        let table = [
            (json!({"messages": []}), "invalid_value", "messages"),
            (json!({"max_tokens": 0}), "invalid_value", "max_tokens"),
            (json!({"temperature": 3}), "invalid_value", "temperature"),
            (json!({"mcp_servers": []}), "unknown_field", "body.mcp_servers"),
            (json!({"metadata": {"k": "v"}}), "unknown_field", "body.metadata.k"),
            (json!({"tool_choice": {"type": "maybe"}}), "invalid_value", "body.tool_choice.type"),
            (json!({"system": [{"type": "image"}]}), "unsupported_content", "system[0].type"),
            (json!({"tools": [{"type": "web_search_20250305"}]}), "unsupported_tool", "tools[0].type"),
            (json!({"tools": [{"name": "f"}]}), "missing_field", "tools[0].input_schema"),
            (
                json!({"tools": [{"name": "f", "input_schema": {}, "defer_loading": true}]}),
                "unknown_field",
                "tools[0].defer_loading",
            ),
            (json!({"model": "claude opus"}), "model_not_found", "model"),
        ];
        for (fields, code, param) in table {
            let error = wanted(fields.clone()).unwrap_err();
            assert_eq!((error.code(), error.detail().param.as_deref()), (code, Some(param)), "{fields}");
        }
    }

    #[test]
    fn tools_and_the_system_count_too() {
        let count = |fields: Value| tokens(&wanted(fields).unwrap().completion);
        let alone = count(json!({}));
        let system = count(json!({"system": "be very brief"}));
        let tools = count(json!({"tools": [{"name": "f", "input_schema": {"type": "object"}}]}));
        assert!(alone > 0 && system > alone && tools > alone, "{alone} {system} {tools}");
    }
}
