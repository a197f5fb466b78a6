//! How verbs share transactions, and what a caller's leaving or another's failure does to them.

use session::turn::Status;
use store::{Admit, Admitted, Error, Input};

use crate::support::*;

#[tokio::test]
async fn a_dropped_reply_tears_nothing() {
    let story = |lab: &mut Lab| {
        lab.add_session("s");
        // Polled once or not at all, then left.
        drop(lab.admit(ask("s", "t1")));
        let mut polled = Box::pin(lab.admit(ask("s", "t2")));
        let waker = std::task::Waker::noop();
        let _ = polled.as_mut().poll(&mut std::task::Context::from_waker(waker));
        drop(polled);
        let third = lab.admit(ask("s", "t3"));
        std::thread::scope(|scope| {
            let admitted = scope.spawn(|| third.wait().unwrap()).join().unwrap();
            assert!(matches!(admitted, Admitted::Queued { position: 1, .. }));
            scope.spawn(|| {
                assert_eq!(lab.read_turn("t1").status, Status::Running);
                assert_eq!(lab.queue_of("s"), ["t2", "t3"]);
            });
        });
    };
    tokio::task::spawn_blocking(move || on_every_engine(story)).await.unwrap();
}

#[tokio::test]
async fn a_reply_can_be_awaited() {
    tokio::task::spawn_blocking(|| {
        on_every_engine(|lab| {
            let session = tokio::runtime::Handle::current().block_on(lab.session(project(), id("s")));
            assert!(session.unwrap().is_none());
        });
    })
    .await
    .unwrap();
}

#[test]
fn verbs_of_the_same_moment_share_a_commit() {
    on_every_engine(|lab| {
        let (commits, verbs) = (lab.stats().commits(), lab.stats().verbs());
        let replies: Vec<_> = (0..64).map(|n| lab.admit(ask_new(&format!("s{n}"), &format!("t{n}")))).collect();
        for reply in replies {
            assert!(matches!(reply.wait().unwrap(), Admitted::Started(_)));
        }
        assert_eq!(lab.stats().verbs() - verbs, 64);
        assert!(lab.stats().commits() - commits < 32, "{} commits", lab.stats().commits() - commits);
    });
}

#[test]
fn a_verb_that_fails_does_not_take_the_others_with_it() {
    on_every_engine(|lab| {
        lab.add_session("s");
        lab.say("s", "t0");
        // A message id that is there already breaks the database's own rule, after the verb's first writes.
        let clash = |turn: &str| {
            let message = input("u-t0", session::message::Message::user("clash"));
            Admit { input: Input::Messages(vec![message]), ..ask_new(turn, turn) }
        };
        let replies: Vec<_> = (1..40)
            .map(|n| {
                let turn = format!("t{n}");
                lab.admit(if n % 10 == 0 { clash(&turn) } else { ask_new(&turn, &turn) })
            })
            .collect();
        for (reply, n) in replies.into_iter().zip(1..) {
            let outcome = reply.wait();
            if n % 10 == 0 {
                assert!(matches!(outcome, Err(Error::Failed(_))), "{n}");
                assert!(lab.session(project(), id(&format!("t{n}"))).wait().unwrap().is_none(), "{n}");
            } else {
                assert!(matches!(outcome, Ok(Admitted::Started(_))), "{n}");
                assert_eq!(lab.read_turn(&format!("t{n}")).status, Status::Running);
            }
        }
    });
}

#[test]
fn a_refusal_leaves_the_rest_of_its_batch_as_it_is() {
    on_every_engine(|lab| {
        lab.start(ask_new("s", "t0"));
        let replies: Vec<_> = (1..40)
            .map(|n| {
                let turn = format!("t{n}");
                lab.admit(if n % 2 == 0 { ask("nowhere", &turn) } else { ask_new(&turn, &turn) })
            })
            .collect();
        for (reply, n) in replies.into_iter().zip(1..) {
            assert_eq!(matches!(reply.wait(), Err(Error::SessionNotFound)), n % 2 == 0, "{n}");
        }
    });
}

#[test]
fn everything_sent_before_the_store_closes_is_committed() {
    on_every_engine(|lab| {
        for n in 0..100 {
            drop(lab.admit(ask_new(&format!("s{n}"), &format!("t{n}"))));
        }
        lab.reopen();
        assert_eq!(lab.query("SELECT count(*) FROM chat_turns WHERE status = 'running'"), ["100"]);
    });
}

#[test]
fn a_read_after_a_reply_sees_what_was_written() {
    on_every_engine(|lab| {
        for n in 0..50 {
            let session = format!("s{n}");
            lab.start(ask_new(&session, &format!("t{n}")));
            assert!(lab.session(project(), id(&session)).wait().unwrap().unwrap().running.is_some());
        }
    });
}
