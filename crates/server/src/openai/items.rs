//! Messages as OpenAI's items: a message of ours is one item, but an answer may be several.

use serde_json::{Value, json};
use session::{
    id::TurnId,
    message::{Content, Message, Part, Role, StoredMessage, ToolCall},
    turn::Status,
};
use store::InputMessage;

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

/// The items of a stored message; `turn` is how its turn stands.
pub fn of_stored(stored: &StoredMessage, turn: Status) -> Vec<Value> {
    match stored.message.role {
        Role::Assistant => of_answer(&stored.turn_id, &stored.message, status_after(turn)),
        Role::System | Role::User | Role::Tool => {
            vec![of_input(&InputMessage { id: stored.id.clone(), message: stored.message.clone(), tokens: 0 })]
        }
    }
}

pub fn of_input(input: &InputMessage) -> Value {
    let message = &input.message;
    if message.role == Role::Tool {
        let output = match &message.content {
            Content::Text(text) => json!(text),
            Content::Parts(_) => json!(input_content(&message.content)),
        };
        return json!({"type": "function_call_output", "id": ids::input_item(Kind::CallOutput, &input.id),
            "status": COMPLETED, "call_id": message.tool_call_id, "output": output});
    }
    json!({"type": "message", "id": ids::input_item(Kind::Message, &input.id), "status": COMPLETED,
        "role": message.role.as_str(), "content": input_content(&message.content)})
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

/// In the order in which models answer; a message no longer knows in which order its parts came.
pub fn of_answer(turn: &TurnId, answer: &Message, status: &str) -> Vec<Value> {
    let mut items = Vec::new();
    if let Some(thoughts) = &answer.reasoning {
        let id = ids::output_item(Kind::Reasoning, turn, 0);
        items.push(reasoning(&id, status, Vec::new(), vec![reasoning_text(thoughts)]));
    }
    let text = answer.content.text();
    let mut content = Vec::new();
    content.extend((!text.is_empty()).then(|| output_text(&text)));
    content.extend(answer.refusal.as_deref().map(refusal));
    if !content.is_empty() {
        items.push(said(&ids::output_item(Kind::Message, turn, 0), status, content));
    }
    items.extend(
        answer
            .tool_calls
            .iter()
            .zip(0..)
            .map(|(made, number)| call(&ids::output_item(Kind::Call, turn, number), status, made)),
    );
    items
}
