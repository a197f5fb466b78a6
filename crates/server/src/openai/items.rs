//! Messages as OpenAI's items: a message of ours is one item, but an answer may be several.

use serde_json::{Value, json};
use session::{
    id::{MessageId, TurnId},
    message::{Content, Message, Part, Role, ToolCall},
    turn::Status,
};
use store::{PathMessage, Turn};

use super::ids::{self, Kind};

pub const IN_PROGRESS: &str = "in_progress";
pub const COMPLETED: &str = "completed";
pub const INCOMPLETE: &str = "incomplete";

/// Of an item that was whole, or broke off, when its turn ended so.
pub fn status_after(turn: Status) -> &'static str {
    if turn == Status::Completed { COMPLETED } else { INCOMPLETE }
}

pub fn output_text(text: &str) -> Value {
    json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
}

pub fn refusal(text: &str) -> Value {
    json!({"type": "refusal", "refusal": text})
}

pub fn reasoning_text(text: &str) -> Value {
    json!({"type": "reasoning_text", "text": text})
}

pub fn summary_text(text: &str) -> Value {
    json!({"type": "summary_text", "text": text})
}

pub fn said(id: &str, status: &str, content: Vec<Value>) -> Value {
    json!({"type": "message", "id": id, "status": status, "role": "assistant", "content": content})
}

pub fn reasoning(id: &str, status: &str, summary: Vec<Value>, content: Vec<Value>) -> Value {
    json!({"type": "reasoning", "id": id, "status": status, "summary": summary, "content": content})
}

pub fn call(id: &str, status: &str, call: &ToolCall) -> Value {
    json!({"type": "function_call", "id": id, "status": status, "call_id": call.id, "name": call.name,
        "arguments": call.arguments})
}

/// Of a message on a path, with its turn.
pub fn of_path(found: &PathMessage, turn: &Turn) -> Vec<Value> {
    let PathMessage { message: stored, place, .. } = found;
    if *place < turn.asked {
        of_input(&stored.id, &stored.message)
    } else {
        of_answer(&stored.turn_id, &stored.message, status_after(turn.status))
    }
}

/// Of a message that a turn was asked with.
pub fn of_input(id: &MessageId, message: &Message) -> Vec<Value> {
    let id = |kind, number| ids::input_item(kind, id, number);
    match message.role {
        Role::Assistant => of_assistant(message, COMPLETED, id),
        Role::Tool => {
            let output = match &message.content {
                Content::Text(text) => json!(text),
                Content::Parts(_) => json!(input_content(&message.content)),
            };
            vec![json!({"type": "function_call_output", "id": id(Kind::CallOutput, 0), "status": COMPLETED,
                "call_id": message.tool_call_id, "output": output})]
        }
        Role::System | Role::User => vec![json!({"type": "message", "id": id(Kind::Message, 0),
            "status": COMPLETED, "role": message.role.as_str(), "content": input_content(&message.content)})],
    }
}

fn input_content(content: &Content) -> Vec<Value> {
    match content {
        Content::Text(text) => vec![json!({"type": "input_text", "text": text})],
        Content::Parts(parts) => parts.iter().map(input_part).collect(),
    }
}

fn input_part(part: &Part) -> Value {
    match part {
        Part::Text { text } => json!({"type": "input_text", "text": text}),
        Part::ImageUrl { image_url } => json!({"type": "input_image", "image_url": image_url.url,
            "detail": image_url.detail.as_deref().unwrap_or("auto")}),
    }
}

pub fn of_answer(turn: &TurnId, answer: &Message, status: &str) -> Vec<Value> {
    of_assistant(answer, status, |kind, number| ids::output_item(kind, turn, number))
}

/// In the order in which models answer; a message no longer knows in which order its parts came.
fn of_assistant(answer: &Message, status: &str, id: impl Fn(Kind, u32) -> String) -> Vec<Value> {
    let mut items = Vec::new();
    if let Some(thoughts) = &answer.reasoning {
        items.push(reasoning(&id(Kind::Reasoning, 0), status, Vec::new(), vec![reasoning_text(thoughts)]));
    }
    let text = answer.content.text();
    let mut content = Vec::new();
    content.extend((!text.is_empty()).then(|| output_text(&text)));
    content.extend(answer.refusal.as_deref().map(refusal));
    if !content.is_empty() {
        items.push(said(&id(Kind::Message, 0), status, content));
    }
    let calls = answer.tool_calls.iter().enumerate();
    items.extend(calls.map(|(at, made)| call(&id(Kind::Call, answer.call_number(at)), status, made)));
    items
}
