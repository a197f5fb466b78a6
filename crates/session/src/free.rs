//! A free turn: it runs beside its session's lane, as soon as the turn that it continues has ended.
//!
//! A chain, which is a session that begins with a free turn, is a tree of them: what continues one turn runs together.
//! A free turn neither waits for the lane nor pauses or holds it.

use crate::{
    id::TurnId,
    lane::{Admission, IfBusy, Place, Refusal},
};

/// Whether a new free turn may start, must wait or is refused. `parent` is what it continues while that runs; `waiting`
/// is how many free turns of the session wait, whatever for.
pub fn admit(parent: Option<&TurnId>, if_busy: IfBusy, waiting: u32, queue_max: u32) -> Admission {
    let Some(parent) = parent else { return Admission::Start };
    if if_busy == IfBusy::Reject {
        return Admission::Refuse(Refusal::Busy { turn: Some(parent.clone()) });
    }
    if waiting >= queue_max {
        return Admission::Refuse(Refusal::QueueFull { max: queue_max });
    }
    Admission::Queue { place: Place::Back, stop: (if_busy == IfBusy::Interrupt).then(|| parent.clone()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_turn_waits_for_its_parent_alone_and_no_more_than_so_many_do() {
        let parent: TurnId = "p".parse().unwrap();
        let admission = |parent: Option<&TurnId>, if_busy, waiting| match admit(parent, if_busy, waiting, 3) {
            Admission::Start => "start".to_owned(),
            Admission::Queue { place, stop } => {
                format!("{place:?}{}", stop.map(|turn| format!(", stop {turn}")).unwrap_or_default())
            }
            Admission::Refuse(Refusal::Busy { turn }) => format!("busy {}", turn.unwrap()),
            Admission::Refuse(Refusal::QueueFull { max }) => format!("full {max}"),
        };
        for waiting in [0, 2, 3] {
            for &if_busy in IfBusy::ALL {
                assert_eq!(admission(None, if_busy, waiting), "start", "nothing is in its way");
            }
            assert_eq!(admission(Some(&parent), IfBusy::Reject, waiting), "busy p");
            let (queue, interrupt) = if waiting < 3 { ("Back", "Back, stop p") } else { ("full 3", "full 3") };
            assert_eq!(admission(Some(&parent), IfBusy::Queue, waiting), queue, "{waiting}");
            assert_eq!(admission(Some(&parent), IfBusy::Interrupt, waiting), interrupt, "{waiting}");
        }
    }
}
