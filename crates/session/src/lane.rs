//! A session's lane: at most one turn runs, the others wait in order. Who may start, who waits, who is turned away.
//! Free turns ([`crate::free`]) are beside it, and none of what it counts.

use crate::{
    id::TurnId,
    time::Time,
    turn::{Finish, Reason, Status},
    words::words,
};

/// What the decisions need to know of a session.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lane {
    pub running: Option<TurnId>,
    /// The first of the queue.
    pub next: Option<TurnId>,
    pub queued: u32,
    /// After a failure, when the session asks for it: the queue waits for `resume`.
    pub paused: bool,
    /// The turn whose tool calls await their results.
    pub hold: Option<Hold>,
}

/// A lane kept free for tool results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    pub turn: TurnId,
    pub until: Time,
}

words! {
    /// What a send wants when the lane is not free.
    pub enum IfBusy {
        Queue = "queue",
        Reject = "reject",
        Interrupt = "interrupt",
    }
}

words! {
    /// What the lane does after a turn that failed or was stopped.
    pub enum OnFailure {
        Continue = "continue",
        Pause = "pause",
    }
}

/// Where in the queue a turn is admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Front,
    Back,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    Start,
    /// `stop`: the running turn makes way.
    Queue {
        place: Place,
        stop: Option<TurnId>,
    },
    Refuse(Refusal),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    Busy { turn: Option<TurnId> },
    QueueFull { max: u32 },
}

/// What the lane does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    Start(TurnId),
    /// Tool results are awaited; look again then.
    Wait {
        until: Time,
    },
    Nothing,
}

impl Lane {
    fn held(&self, now: Time) -> bool {
        self.hold.as_ref().is_some_and(|hold| hold.until > now)
    }

    /// Whether a new turn may start, must wait or is refused. `Place::Front` is for what continues the turn before:
    /// tool results and retries; neither a pause nor a hold keeps those waiting.
    pub fn admit(&self, if_busy: IfBusy, place: Place, queue_max: u32, now: Time) -> Admission {
        let overtakes = place == Place::Front || if_busy == IfBusy::Interrupt;
        if self.running.is_none() && (overtakes || (self.queued == 0 && !self.held(now))) {
            return Admission::Start;
        }
        if if_busy == IfBusy::Reject {
            let hold = || self.hold.as_ref().map(|hold| hold.turn.clone());
            return Admission::Refuse(Refusal::Busy { turn: self.running.clone().or_else(hold).or(self.next.clone()) });
        }
        if self.queued >= queue_max {
            return Admission::Refuse(Refusal::QueueFull { max: queue_max });
        }
        if if_busy == IfBusy::Interrupt {
            return Admission::Queue { place: Place::Front, stop: self.running.clone() };
        }
        Admission::Queue { place, stop: None }
    }

    /// The lane as a turn finds it that continues `parent`, which still runs: a free turn stands in its way like one of
    /// the lane's own.
    pub fn behind(self, parent: Option<TurnId>) -> Lane {
        Lane { running: self.running.or(parent), ..self }
    }

    pub fn next(&self, now: Time) -> Next {
        let Some(next) = self.next.as_ref().filter(|_| self.running.is_none() && !self.paused) else {
            return Next::Nothing;
        };
        match &self.hold {
            Some(hold) if hold.until > now => Next::Wait { until: hold.until },
            _ => Next::Start(next.clone()),
        }
    }

    /// The lane after its running turn came to an end.
    pub fn ended(self, end: End, on_failure: OnFailure, hold_until: Time) -> Lane {
        let stopped = match end.status {
            Status::Failed => true,
            Status::Cancelled => !end.interrupted,
            Status::Incomplete => end.reason == Some(Reason::Interrupted),
            Status::Queued | Status::Running | Status::Completed => false,
        };
        let paused = self.paused || (stopped && on_failure == OnFailure::Pause);
        let awaits_results = end.status == Status::Completed && end.finish == Some(Finish::ToolCalls);
        let hold = self.running.clone().filter(|_| awaits_results).map(|turn| Hold { turn, until: hold_until });
        // With nobody waiting a pause would only surprise the next sender.
        Lane { running: None, paused: paused && self.queued > 0, hold, ..self }
    }
}

/// How the running turn ended, as far as the lane cares.
#[derive(Debug, Clone, Copy)]
pub struct End {
    pub status: Status,
    pub reason: Option<Reason>,
    pub finish: Option<Finish>,
    /// It was stopped to make way for another.
    pub interrupted: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time::EPOCH;

    fn turn(name: &str) -> TurnId {
        name.parse().unwrap()
    }

    fn lane(text: &str) -> Lane {
        let mut lane = Lane::default();
        for word in text.split_whitespace() {
            match word {
                "running" => lane.running = Some(turn("r")),
                "queued" => (lane.next, lane.queued) = (Some(turn("q")), 1),
                "full" => (lane.next, lane.queued) = (Some(turn("q")), 3),
                "paused" => lane.paused = true,
                "held" => lane.hold = Some(Hold { turn: turn("h"), until: NOW.plus_ms(1) }),
                "expired" => lane.hold = Some(Hold { turn: turn("h"), until: NOW }),
                _ => panic!("{word}"),
            }
        }
        lane
    }

    fn admission(state: &str, if_busy: IfBusy, place: Place) -> String {
        match lane(state).admit(if_busy, place, 3, NOW) {
            Admission::Start => "start".into(),
            Admission::Queue { place, stop } => {
                format!("{place:?}{}", stop.map(|t| format!(", stop {t}")).unwrap_or_default())
            }
            Admission::Refuse(Refusal::Busy { turn }) => format!("busy {}", turn.unwrap()),
            Admission::Refuse(Refusal::QueueFull { max }) => format!("full {max}"),
        }
    }

    #[test]
    fn every_state_of_a_lane_has_an_answer_for_every_send() {
        let table = [
            // state            queue    reject    interrupt        front
            ("", "start", "start", "start", "start"),
            ("running", "Back", "busy r", "Front, stop r", "Front"),
            ("running queued", "Back", "busy r", "Front, stop r", "Front"),
            ("running full", "full 3", "busy r", "full 3", "full 3"),
            ("queued paused", "Back", "busy q", "start", "start"),
            ("paused", "start", "start", "start", "start"),
            ("held", "Back", "busy h", "start", "start"),
            ("held queued", "Back", "busy h", "start", "start"),
            ("held full", "full 3", "busy h", "start", "start"),
            ("expired", "start", "start", "start", "start"),
            ("expired queued", "Back", "busy h", "start", "start"),
        ];
        for (state, queue, reject, interrupt, front) in table {
            assert_eq!(admission(state, IfBusy::Queue, Place::Back), queue, "{state}: queue");
            assert_eq!(admission(state, IfBusy::Reject, Place::Back), reject, "{state}: reject");
            assert_eq!(admission(state, IfBusy::Interrupt, Place::Back), interrupt, "{state}: interrupt");
            assert_eq!(admission(state, IfBusy::Queue, Place::Front), front, "{state}: front");
        }
    }

    #[test]
    fn the_next_turn_starts_unless_something_stands_in_its_way() {
        let next = |state: &str| match lane(state).next(NOW) {
            Next::Start(turn) => format!("start {turn}"),
            Next::Wait { until } => format!("wait {}", until.since(NOW)),
            Next::Nothing => "nothing".into(),
        };
        for (state, expected) in [
            ("", "nothing"),
            ("running queued", "nothing"),
            ("queued", "start q"),
            ("queued paused", "nothing"),
            ("queued held", "wait 1"),
            ("queued expired", "start q"),
            ("held", "nothing"),
        ] {
            assert_eq!(next(state), expected, "{state}");
        }
    }

    #[test]
    fn a_running_parent_beside_the_lane_stands_in_the_way_of_what_continues_it() {
        let behind = |state: &str| lane(state).behind(Some(turn("p")));
        assert_eq!(behind("running").running, Some(turn("r")), "what runs in the lane comes first");
        assert_eq!(lane("queued").behind(None), lane("queued"));
        for state in ["", "queued", "queued held"] {
            assert_eq!(behind(state).next(NOW), Next::Nothing, "{state}");
        }
        let table = [
            (IfBusy::Queue, Admission::Queue { place: Place::Back, stop: None }),
            (IfBusy::Reject, Admission::Refuse(Refusal::Busy { turn: Some(turn("p")) })),
            (IfBusy::Interrupt, Admission::Queue { place: Place::Front, stop: Some(turn("p")) }),
        ];
        for (if_busy, expected) in table {
            assert_eq!(behind("").admit(if_busy, Place::Back, 3, NOW), expected, "{if_busy:?}");
        }
    }

    #[test]
    fn a_failed_or_stopped_turn_pauses_a_queue_that_asked_for_it() {
        let after = |status, reason, interrupted, state: &str, on_failure| {
            let end = End { status, reason, finish: None, interrupted };
            lane(state).ended(end, on_failure, NOW).paused
        };
        let waiting = "running queued";
        assert!(after(Status::Failed, None, false, waiting, OnFailure::Pause));
        assert!(after(Status::Cancelled, None, false, waiting, OnFailure::Pause));
        assert!(after(Status::Incomplete, Some(Reason::Interrupted), false, waiting, OnFailure::Pause));
        assert!(!after(Status::Cancelled, None, true, waiting, OnFailure::Pause));
        assert!(!after(Status::Incomplete, Some(Reason::Length), false, waiting, OnFailure::Pause));
        assert!(!after(Status::Completed, None, false, waiting, OnFailure::Pause));
        assert!(!after(Status::Failed, None, false, waiting, OnFailure::Continue));
        assert!(!after(Status::Failed, None, false, "running", OnFailure::Pause));
        assert!(after(Status::Completed, None, false, "running queued paused", OnFailure::Pause));
    }

    #[test]
    fn tool_calls_hold_the_lane_for_their_results() {
        let end = |finish| End { status: Status::Completed, reason: None, finish: Some(finish), interrupted: false };
        let until = NOW.plus_ms(60_000);
        let held = lane("running").ended(end(Finish::ToolCalls), OnFailure::Continue, until);
        assert_eq!(held.hold, Some(Hold { turn: turn("r"), until }));
        assert_eq!(lane("running held").ended(end(Finish::Stop), OnFailure::Continue, until).hold, None);
    }
}
