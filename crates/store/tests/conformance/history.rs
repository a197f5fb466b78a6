//! What is sent with a turn: its own path, by the window, and nothing else.

use std::collections::HashMap;

use proptest::prelude::*;
use session::{
    config::Config,
    message::Message,
    turn::{Options, Outcome},
    window::{Counters, Window},
};
use store::{Admit, Admitted, Finish, Input, InputMessage, NewSession, Reply, Started};

use crate::support::*;

#[test]
fn a_long_session_sends_exactly_its_window() {
    on_every_engine(|lab| {
        let turns = (0..300).map(|n| Planned { parent: Some(n).filter(|n| *n > 0).map(|n| n - 1), ..Planned::plain() });
        play(lab, &turns.collect::<Vec<_>>());
    });
}

#[test]
fn a_long_session_with_a_token_window_sends_exactly_that() {
    on_every_engine(|lab| {
        let turns = (0..120usize).map(|n| Planned {
            parent: n.checked_sub(1),
            window: 2,
            inputs: vec![(n % 5) as u32],
            ..Planned::plain()
        });
        play(lab, &turns.collect::<Vec<_>>());
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Against a naive reader that goes over the whole path: branches, failures, windows and all.
    #[test]
    fn any_tree_sends_each_turn_its_own_path(turns in prop::collection::vec(planned(), 1..70)) {
        on_every_engine(|lab| play(lab, &turns));
    }
}

#[test]
fn upstream_caches_find_the_same_beginning_most_of_the_time() {
    on_every_engine(|lab| {
        lab.add_session("s");
        let mut moves = 0;
        let mut last: Vec<String> = Vec::new();
        for n in 0..60 {
            let started = lab.start(ask("s", &format!("t{n}")));
            let sent = past(&started);
            if !sent.starts_with(&last) {
                moves += 1;
                assert_eq!(sent.len(), 20, "the window is cut back to its length");
            }
            assert!(sent.len() < 30);
            lab.end(finish(&started, completed(&format!("a-t{n}"))));
            last = sent;
        }
        assert_eq!(moves, 9, "ten messages at a time");
    });
}

#[test]
fn turns_that_said_nothing_are_not_sent_and_those_that_said_something_are() {
    on_every_engine(|lab| {
        lab.add_session("s");
        let only_thoughts = Message { reasoning: Some("hm".into()), ..Message::assistant("") };
        let refusal = Message { refusal: Some("no".into()), ..Message::assistant("") };
        let outcomes = [
            ("t1", completed("a1")),
            ("t2", failed()),
            ("t3", cancelled(None)),
            ("t4", cancelled(Some("half"))),
            ("t5", Outcome { answer: Some(only_thoughts), ..failed() }),
            ("t6", Outcome { answer: Some(refusal), ..cut_short("") }),
            ("t7", Outcome { answer: None, ..completed("") }),
        ];
        for (turn, outcome) in outcomes {
            let started = lab.start(ask("s", turn));
            lab.end(finish(&started, outcome));
        }
        let started = lab.start(ask("s", "t8"));
        assert_eq!(past(&started), ["u-t1", "a1", "u-t4", "half", "u-t6", "", "u-t7"]);
        assert_eq!(started.past.as_ref().unwrap()[5].refusal.as_deref(), Some("no"));
    });
}

#[test]
fn the_system_prompt_that_stands_takes_part_of_a_token_window() {
    on_every_engine(|lab| {
        let windowed = |system: u32| Config {
            system: Some(of_tokens(system)),
            window: Window { messages: None, tokens: Some(12) },
            ..config()
        };
        lab.add_config(&project(), "short", windowed(2));
        lab.add_config(&project(), "long", windowed(8));
        let session = NewSession { system: Some(of_tokens(4)), ..new_session("own") };
        lab.create_session(project(), session, None, now()).wait().unwrap();
        lab.add_session("plain");
        for n in 0..4 {
            lab.say("own", &format!("o{n}"));
            lab.say("plain", &format!("p{n}"));
        }
        // Four turns of two tokens each, and one for the question: what is left for them decides.
        let sent = |session: &str, turn: &str, config: &str, system: Option<u32>| {
            let options = Options { system: system.map(of_tokens), ..Options::default() };
            let started = lab.start(Admit { config: Some(id(config)), options, ..ask(session, turn) });
            let sent = past(&started).len();
            lab.end(finish(&started, failed()));
            assert_eq!(lab.prompt(project(), id(turn)).wait().unwrap().unwrap().past, *started.past.as_ref().unwrap());
            sent
        };
        assert_eq!(sent("plain", "t1", "short", None), 8, "2 + 1 + 8 fit in 12");
        assert_eq!(sent("plain", "t2", "long", None), 0, "8 + 1 + 8 do not: 8 are left out");
        assert_eq!(sent("own", "t3", "long", None), 4, "4 + 1 + 8 do not: 4 are left out");
        assert_eq!(sent("own", "t4", "long", Some(0)), 8);
        assert_eq!(sent("own", "t5", "short", Some(7)), 4);
    });
}

#[test]
fn what_was_sent_can_be_shown_later_whatever_changed_since() {
    on_every_engine(|lab| {
        lab.add_session("s");
        for n in 0..20 {
            lab.say("s", &format!("t{n}"));
        }
        let started = lab.start(ask("s", "t20"));
        let mut end = finish(&started, completed("a"));
        end.prompt_hash = Some([9; 32]);
        lab.end(end);
        let narrow = store::ConfigChange {
            config: Config { window: Window { messages: Some(2), tokens: None }, model: "other".into(), ..config() },
            origin: None,
            key: None,
            make_default: false,
            titles: None,
        };
        lab.change_config(project(), id("c"), 1, narrow, now()).wait().unwrap();
        lab.say("s", "t21");
        lab.delete_config(project(), id("c"), now()).wait().unwrap();

        let prompt = lab.prompt(project(), id("t20")).wait().unwrap().unwrap();
        assert_eq!((prompt.past, prompt.input), (started.past.unwrap(), started.input));
        assert_eq!((prompt.config.revision, prompt.config.config.model.as_str()), (1, "m"));
        assert_eq!((prompt.from, prompt.hash), (Some(id("t10")), Some([9; 32])));
        assert_eq!(prompt.assembler, session::history::ASSEMBLER);
        assert_eq!(lab.prompt(project(), id("t21")).wait().unwrap().unwrap().past.len(), 2);
    });
}

#[test]
fn a_turn_that_has_not_started_has_no_prompt() {
    on_every_engine(|lab| {
        lab.start(ask_new("s", "t1"));
        lab.queue_up(ask("s", "t2"));
        assert!(lab.prompt(project(), id("t2")).wait().unwrap().is_none());
        assert!(lab.prompt(project(), id("t9")).wait().unwrap().is_none());
    });
}

fn of_tokens(tokens: u32) -> String {
    let text = vec!["word"; tokens as usize].join(" ");
    assert_eq!(session::tokens::count(&text), tokens);
    text
}

/// A turn of a made-up session.
#[derive(Debug, Clone)]
struct Planned {
    /// An earlier turn; none begins anew.
    parent: Option<usize>,
    /// Tokens of each message of its input.
    inputs: Vec<u32>,
    outcome: Outcome,
    answer_tokens: u32,
    /// Which of [`WINDOWS`].
    window: usize,
}

impl Planned {
    fn plain() -> Planned {
        Planned { parent: None, inputs: vec![1], outcome: completed("a"), answer_tokens: 1, window: 0 }
    }

    fn messages(&self, at: usize) -> Vec<InputMessage> {
        let message = |(nth, tokens): (usize, &u32)| {
            let name = format!("u{at}-{nth}");
            InputMessage { tokens: *tokens, ..input(&name, Message::user(&name)) }
        };
        self.inputs.iter().enumerate().map(message).collect()
    }

    fn answer(&self, at: usize) -> Option<Message> {
        self.outcome.answer.as_ref().map(|answer| {
            let text = answer.content.text();
            if text.is_empty() { answer.clone() } else { Message::assistant(&format!("{text}-{at}")) }
        })
    }
}

const WINDOWS: [Window; 4] = [
    Window { messages: Some(20), tokens: None },
    Window { messages: Some(3), tokens: None },
    Window { messages: None, tokens: Some(25) },
    Window { messages: None, tokens: None },
];

fn planned() -> impl Strategy<Value = Planned> {
    let outcome = prop_oneof![
        4 => Just(completed("a")),
        1 => Just(completed("")),
        1 => Just(failed()),
        1 => Just(cancelled(None)),
        1 => Just(cancelled(Some("half"))),
    ];
    // Mostly the turn just before, so that paths get long.
    let parent = prop_oneof![1 => Just(None), 2 => any::<prop::sample::Index>().prop_map(Some), 12 => Just(None)];
    (parent, any::<bool>(), prop::collection::vec(0u32..9, 1..4), outcome, 0u32..9, 0..WINDOWS.len()).prop_map(
        |(parent, anew, inputs, outcome, answer_tokens, window)| Planned {
            // Settled when its place is known.
            parent: parent.map(|index| index.index(usize::MAX >> 1)).or((!anew).then_some(usize::MAX)),
            inputs,
            outcome,
            answer_tokens,
            window,
        },
    )
}

/// Plays the turns in one session, and compares what each was sent with what a naive reader finds.
fn play(lab: &Lab, turns: &[Planned]) {
    lab.add_session("s");
    for (at, window) in WINDOWS.into_iter().enumerate() {
        lab.add_config(&project(), &format!("w{at}"), Config { window, ..config() });
    }
    let turns: Vec<Planned> = turns
        .iter()
        .enumerate()
        .map(|(at, turn)| {
            let parent = match turn.parent {
                Some(usize::MAX) => at.checked_sub(1),
                Some(any) if at > 0 => Some(any % at),
                _ => None,
            };
            Planned { parent, ..turn.clone() }
        })
        .collect();

    // Nothing waits for an answer, so that many verbs share a commit.
    let run = |(at, turn): (usize, &Planned)| -> (Reply<Admitted>, Reply<store::Finished>) {
        let name = format!("t{at}");
        let parent = turn.parent.map(|parent| format!("t{parent}"));
        let admitted = lab.admit(Admit {
            config: Some(id(&format!("w{}", turn.window))),
            input: Input::Messages(turn.messages(at)),
            ..ask_after("s", &name, parent.as_deref())
        });
        let fence = store::Fence { project: project(), turn: id(&name), epoch: 1, owner: owner() };
        let outcome = Outcome { answer: turn.answer(at), ..turn.outcome.clone() };
        let finished = lab.finish(Finish { answer_tokens: turn.answer_tokens, ..finish_by(fence, "s", outcome) });
        (admitted, finished)
    };
    let replies: Vec<_> = turns.iter().enumerate().map(run).collect();
    let mut sent: HashMap<usize, Started> = HashMap::new();
    for (at, (admitted, finished)) in replies.into_iter().enumerate() {
        let Admitted::Started(started) = admitted.wait().unwrap() else { panic!("turn {at} did not start") };
        finished.wait().unwrap();
        assert_eq!(past(&started), naive(&turns, at), "turn {at}");
        sent.insert(at, *started);
    }
    for (at, started) in sent {
        let prompt = lab.prompt(project(), id(&format!("t{at}"))).wait().unwrap().unwrap();
        assert_eq!((prompt.past, prompt.input), (started.past.unwrap(), started.input), "turn {at}, afterwards");
    }
}

/// The history of a turn, from everything that ever happened on its path.
fn naive(turns: &[Planned], at: usize) -> Vec<String> {
    let mut path = Vec::new();
    let mut next = turns[at].parent;
    while let Some(turn) = next {
        path.push(turn);
        next = turns[turn].parent;
    }
    path.reverse();
    path.retain(|at| {
        let turn = &turns[*at];
        Outcome { answer: turn.answer(*at), ..turn.outcome.clone() }.counts()
    });
    let counted = |turn: &usize| Counters {
        messages: (turns[*turn].inputs.len() + usize::from(turns[*turn].outcome.answer.is_some())) as u64,
        tokens: turns[*turn].inputs.iter().map(|tokens| u64::from(*tokens)).sum::<u64>()
            + turns[*turn].outcome.answer.as_ref().map_or(0, |_| turns[*turn].answer_tokens.into()),
    };
    let sum = |path: &[usize]| path.iter().map(counted).fold(Counters::default(), |sum, more| sum + more);
    let own: u64 = turns[at].inputs.iter().map(|tokens| u64::from(*tokens)).sum();
    let cut = WINDOWS[turns[at].window].cut(sum(&path), own);
    let kept = (0..path.len()).filter(|&n| cut.keeps(sum(&path[..n]), sum(&path[..=n])));
    kept.flat_map(|n| {
        let turn = &turns[path[n]];
        let inputs = turn.messages(path[n]).into_iter().map(|input| input.message);
        inputs.chain(turn.answer(path[n])).map(|message| message.content.text().into_owned()).collect::<Vec<_>>()
    })
    .collect()
}
