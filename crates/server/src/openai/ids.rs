//! OpenAI's ids and ours. A conversation is a session and a response is a turn, so theirs is ours behind one prefix, always
//! exactly one, which maps both ways. What was sent is named after its message (`msg_<message>`); what was answered
//! after its turn and a number (`msg_<turn>_0`), since a stream names it before there is a message.

use session::{
    id::{MessageId, SessionId, TurnId},
    message::MessagePart,
};
use store::Said;
pub use store::Source;

const CONVERSATION: &str = "conv_";
const RESPONSE: &str = "resp_";

pub fn conversation(session: &SessionId) -> String {
    format!("{CONVERSATION}{session}")
}

pub fn session(conversation: &str) -> Option<SessionId> {
    conversation.strip_prefix(CONVERSATION)?.parse().ok()
}

pub fn response(turn: &TurnId) -> String {
    format!("{RESPONSE}{turn}")
}

pub fn turn(response: &str) -> Option<TurnId> {
    response.strip_prefix(RESPONSE)?.parse().ok()
}

/// What an item is, as its id says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Message,
    Reasoning,
    Call,
    CallOutput,
}

impl Kind {
    const ALL: [Kind; 4] = [Kind::Message, Kind::Reasoning, Kind::Call, Kind::CallOutput];

    fn prefix(self) -> &'static str {
        match self {
            Kind::Message => "msg_",
            Kind::Reasoning => "rs_",
            Kind::Call => "fc_",
            Kind::CallOutput => "fco_",
        }
    }
}

/// `number` counts the message's items of the kind from 0. Mostly it is the only one, and has none.
pub fn input_item(kind: Kind, message: &MessageId, number: u32) -> String {
    match number {
        0 => format!("{}{message}", kind.prefix()),
        more => format!("{}{message}.{more}", kind.prefix()),
    }
}

/// `number` counts the answer's items of the kind from 0.
pub fn output_item(kind: Kind, turn: &TurnId, number: u32) -> String {
    format!("{}{turn}_{number}", kind.prefix())
}

/// Where an item comes from.
pub fn source(item: &str) -> Option<Source> {
    parsed(item).map(|(source, ..)| source)
}

/// What an item is of ours.
pub fn said(item: &str) -> Option<Said> {
    let (source, kind, number) = parsed(item)?;
    let part = match (kind, number) {
        (Kind::Reasoning, 0) => MessagePart::Reasoning,
        (Kind::Message | Kind::CallOutput, 0) => MessagePart::Text,
        (Kind::Call, number) => MessagePart::ToolCall(number),
        (Kind::Reasoning | Kind::Message | Kind::CallOutput, _) => return None,
    };
    Some(Said { source, part })
}

/// The ids that the server makes for turns and messages have no `_` and no `.` in them.
fn parsed(item: &str) -> Option<(Source, Kind, u32)> {
    let kind = Kind::ALL.into_iter().find(|kind| item.starts_with(kind.prefix()))?;
    let rest = item.strip_prefix(kind.prefix())?;
    if let Some((turn, number)) = rest.rsplit_once('_') {
        return Some((Source::Answer(turn.parse().ok()?), kind, number.parse().ok()?));
    }
    let (message, number) = rest.split_once('.').unwrap_or((rest, "0"));
    Some((Source::Input(message.parse().ok()?), kind, number.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_maps_both_ways_whatever_the_client_called_its_session() {
        for id in ["session_a", "conv_x", "conv_conv_", "0198"] {
            let ours: SessionId = id.parse().unwrap();
            assert_eq!(session(&conversation(&ours)), Some(ours));
        }
        for other in ["session_a", "conv_", "conv_a b", "resp_a", ""] {
            assert_eq!(session(other), None, "{other}");
        }
        assert_eq!(turn("resp_0198").map(|turn| response(&turn)).as_deref(), Some("resp_0198"));
    }

    #[test]
    fn an_item_says_where_it_comes_from() {
        let (message, turn): (MessageId, TurnId) = ("0a".parse().unwrap(), "0b".parse().unwrap());
        for kind in Kind::ALL {
            for number in [0, 1, 12] {
                assert_eq!(source(&input_item(kind, &message, number)), Some(Source::Input(message.clone())));
            }
            assert_eq!(source(&output_item(kind, &turn, 12)), Some(Source::Answer(turn.clone())));
        }
        for bad in ["", "msg_", "msg_0b_x", "msg_0b.x", "item_0a", "0a"] {
            assert_eq!(source(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_item_says_which_part_of_its_message_it_is() {
        let (message, turn): (MessageId, TurnId) = ("0a".parse().unwrap(), "0b".parse().unwrap());
        for (kind, number, part) in [
            (Kind::Reasoning, 0, Some(MessagePart::Reasoning)),
            (Kind::Message, 0, Some(MessagePart::Text)),
            (Kind::CallOutput, 0, Some(MessagePart::Text)),
            (Kind::Call, 0, Some(MessagePart::ToolCall(0))),
            (Kind::Call, 12, Some(MessagePart::ToolCall(12))),
            (Kind::Reasoning, 1, None),
            (Kind::Message, 1, None),
        ] {
            let sent = part.map(|part| Said { source: Source::Input(message.clone()), part });
            assert_eq!(said(&input_item(kind, &message, number)), sent);
            let answered = part.map(|part| Said { source: Source::Answer(turn.clone()), part });
            assert_eq!(said(&output_item(kind, &turn, number)), answered);
        }
    }
}
