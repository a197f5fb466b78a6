//! Turns as tests of what is told of them need them.

use session::{
    message::{Message, StoredMessage},
    time::Time,
    turn::{Finish, Kind, Options, Status, Timing, Usage},
};
use store::Turn;

pub fn turn(status: Status) -> Turn {
    Turn {
        id: "t".parse().unwrap(),
        session: "s".parse().unwrap(),
        kind: Kind::Message,
        status,
        reason: None,
        finish: None,
        number: Some(1),
        queued_at_place: None,
        parent: None,
        parent_given: false,
        free: false,
        epoch: 1,
        owner: None,
        attempts: 1,
        config: Some("c".parse().unwrap()),
        config_revision: Some(1),
        model: None,
        answer: None,
        input: Vec::new(),
        options: Options::default(),
        metadata: None,
        request: None,
        asked: 1,
        usage: Usage { prompt_tokens: 3, completion_tokens: 2, ..Usage::default() },
        timing: Timing::default(),
        error: None,
        last: None,
        response_deleted: false,
        created_at: Time::from_ms(1_700_000_000_900),
        started_at: None,
        ended_at: Some(Time::from_ms(1_700_000_001_000)),
    }
}

pub fn ended(finish: Finish) -> Turn {
    Turn { finish: Some(finish), ..turn(Status::Completed) }
}

pub fn answered(message: Message, ended: Turn) -> Turn {
    let answer = StoredMessage {
        id: "m".parse().unwrap(),
        session_id: ended.session.clone(),
        turn_id: ended.id.clone(),
        message,
        timestamp: ended.created_at,
    };
    Turn { answer: Some(answer), ..ended }
}
