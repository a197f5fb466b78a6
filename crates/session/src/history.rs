//! From a config, a path and an input to the message list that is sent.

use std::sync::Arc;

use crate::{
    config::Config,
    message::{Message, Role, ToolCall},
    turn::Options,
};

/// Goes up when the same path would be assembled to another list; recorded with every turn.
pub const ASSEMBLER: u32 = 1;

/// Stands in for the result of a tool call that was never answered: upstreams refuse a list without one.
pub const MISSING_RESULT: &str = "(no result was given)";

/// Everything that a provider needs to write its request body.
#[derive(Debug, Clone, PartialEq)]
pub struct Prompt {
    pub model: String,
    pub messages: Vec<Arc<Message>>,
    /// The config's parameters, below the turn's options.
    pub params: serde_json::Map<String, serde_json::Value>,
    pub options: Options,
}

/// `past` and `input` oldest first. The most specific system prompt stands: the turn's, else the session's, else the config's.
pub fn assemble(
    config: &Config,
    session_system: Option<&str>,
    options: &Options,
    past: Vec<Arc<Message>>,
    input: Vec<Message>,
) -> Prompt {
    let system = options.system.as_deref().or(session_system).or(config.system.as_deref());
    let mut messages = Vec::with_capacity(past.len() + input.len() + 1);
    messages.extend(system.filter(|text| !text.is_empty()).map(Message::system).map(Arc::new));
    messages.extend(past);
    messages.extend(input.into_iter().map(Arc::new));
    Prompt {
        model: options.model.clone().unwrap_or_else(|| config.model.clone()),
        messages: repair(joined(messages)),
        params: config.params.clone(),
        options: options.clone(),
    }
}

/// What an assistant said in one go is one message, as upstreams want it, in however many pieces it was put in.
fn joined(messages: Vec<Arc<Message>>) -> Vec<Arc<Message>> {
    let mut joined: Vec<Arc<Message>> = Vec::with_capacity(messages.len());
    for message in messages {
        match joined.last_mut() {
            Some(last) if last.role == Role::Assistant && message.role == Role::Assistant => {
                Arc::make_mut(last).go_on(Arc::unwrap_or_clone(message));
            }
            _ => joined.push(message),
        }
    }
    joined
}

/// A tool call always together with its result. A call without one gets [`MISSING_RESULT`]; a result without its call,
/// a second result and a call whose arguments broke off are left out.
fn repair(messages: Vec<Arc<Message>>) -> Vec<Arc<Message>> {
    let mut repaired = Vec::with_capacity(messages.len());
    let mut rest = messages.into_iter().peekable();
    while let Some(mut message) = rest.next() {
        if message.role == Role::Tool {
            continue;
        }
        if !message.tool_calls.iter().all(is_sendable) {
            Arc::make_mut(&mut message).tool_calls.retain(is_sendable);
        }
        if message.role == Role::Assistant && !message.says_something() {
            continue;
        }
        let calls: Vec<String> = message.tool_calls.iter().map(|call| call.id.clone()).collect();
        repaired.push(message);
        if calls.is_empty() {
            continue;
        }
        let mut results = Vec::new();
        while let Some(result) = rest.next_if(|next| next.role == Role::Tool) {
            results.push(result);
        }
        repaired.extend(calls.into_iter().map(|id| {
            let found = results.iter().position(|result| result.tool_call_id.as_deref() == Some(&id));
            found.map_or_else(|| Arc::new(Message::tool(&id, MISSING_RESULT)), |at| results.swap_remove(at))
        }));
    }
    repaired
}

fn is_sendable(call: &ToolCall) -> bool {
    call.arguments.is_empty() || serde_json::from_str::<serde::de::IgnoredAny>(&call.arguments).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(ids: &[&str]) -> Message {
        let tool_calls =
            ids.iter().map(|id| ToolCall { id: (*id).into(), name: "f".into(), arguments: "{}".into() }).collect();
        Message { tool_calls, ..Message::assistant("") }
    }

    fn shared(messages: Vec<Message>) -> Vec<Arc<Message>> {
        messages.into_iter().map(Arc::new).collect()
    }

    fn shown(messages: Vec<Message>) -> Vec<String> {
        repaired(shared(messages))
    }

    fn repaired(messages: Vec<Arc<Message>>) -> Vec<String> {
        repair(messages)
            .iter()
            .map(|m| match (&m.tool_call_id, m.tool_calls.len()) {
                (Some(id), _) => format!("tool {id}: {}", m.content.text()),
                (None, 0) => format!("{}: {}", m.role.as_str(), m.content.text()),
                (None, n) => format!("{}: {} +{n} calls", m.role.as_str(), m.content.text()),
            })
            .collect()
    }

    #[test]
    fn what_was_put_in_by_pieces_is_sent_as_one_answer() {
        let thought = Message { reasoning: Some("hm".into()), ..Message::assistant("") };
        let pieces = vec![
            Message::user("u"),
            thought,
            Message::assistant("let me see"),
            Message::assistant("now"),
            calls(&["a"]),
            calls(&["b"]),
            Message::tool("b", "2"),
            Message::tool("a", "1"),
            Message::assistant("done"),
        ];
        let joined = joined(shared(pieces));
        assert_eq!(joined[1].reasoning.as_deref(), Some("hm"));
        assert_eq!(
            repaired(joined),
            ["user: u", "assistant: let me see\n\nnow +2 calls", "tool a: 1", "tool b: 2", "assistant: done"]
        );
    }

    #[test]
    fn a_call_without_result_gets_one_before_the_next_message() {
        assert_eq!(
            shown(vec![Message::user("u"), calls(&["a", "b"]), Message::tool("b", "2"), Message::user("v")]),
            ["user: u", "assistant:  +2 calls", "tool a: (no result was given)", "tool b: 2", "user: v"]
        );
    }

    #[test]
    fn a_result_without_call_is_left_out() {
        assert_eq!(shown(vec![Message::tool("a", "1"), Message::assistant("x")]), ["assistant: x"]);
        assert_eq!(
            shown(vec![calls(&["a"]), Message::tool("a", "1"), Message::tool("a", "again"), Message::tool("z", "?")]),
            ["assistant:  +1 calls", "tool a: 1"]
        );
    }

    #[test]
    fn a_call_that_broke_off_is_left_out_with_its_result() {
        let mut broken = calls(&["a"]);
        broken.tool_calls[0].arguments = "{\"x\":".into();
        assert_eq!(shown(vec![broken.clone(), Message::tool("a", "1"), Message::user("u")]), ["user: u"]);
        broken.content = "let me see".into();
        assert_eq!(shown(vec![broken, Message::user("u")]), ["assistant: let me see", "user: u"]);
    }

    #[test]
    fn the_most_specific_system_prompt_stands() {
        let config = Config {
            name: "c".into(),
            provider: "echo".into(),
            base_url: None,
            api_key_env: None,
            model: "m".into(),
            system: Some("config".into()),
            params: Default::default(),
            window: Default::default(),
            timeouts: Default::default(),
            max_concurrency: None,
        };
        let first = |session: Option<&str>, turn: Option<&str>| {
            let options = Options { system: turn.map(Into::into), ..Options::default() };
            let prompt = assemble(&config, session, &options, vec![], vec![Message::user("hi")]);
            prompt.messages[0].content.text().into_owned()
        };
        assert_eq!(first(None, None), "config");
        assert_eq!(first(Some("session"), None), "session");
        assert_eq!(first(Some("session"), Some("turn")), "turn");
        assert_eq!(first(Some("session"), Some("")), "hi");
    }
}
