//! What happens in all of a project's sessions, for `GET /events`: a bounded ring in memory. A cursor that has left
//! the ring, or is of an earlier run of the server, is unknown, and its client fetches afresh.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use session::{
    event::Event,
    id::{ProjectId, SessionId, TurnId},
};
use store::Turn;
use tokio::sync::watch;

use crate::live::Shown;

/// Notices kept for each project.
const RING_MAX: usize = 8192;

#[derive(Debug, Clone)]
pub enum Notice {
    SessionCreated {
        session: SessionId,
    },
    SessionUpdated {
        session: SessionId,
    },
    SessionDeleted {
        session: SessionId,
    },
    QueueChanged {
        session: SessionId,
    },
    /// Something that was said in the turn is no longer there.
    MessageDeleted {
        session: SessionId,
        turn: TurnId,
    },
    /// What stood here is not told any more.
    Erased {
        session: SessionId,
    },
    Turn {
        session: SessionId,
        turn: TurnId,
        shown: Shown,
    },
}

impl Notice {
    pub fn session(&self) -> &SessionId {
        match self {
            Notice::SessionCreated { session }
            | Notice::SessionUpdated { session }
            | Notice::SessionDeleted { session }
            | Notice::QueueChanged { session }
            | Notice::MessageDeleted { session, .. }
            | Notice::Erased { session }
            | Notice::Turn { session, .. } => session,
        }
    }
}

#[derive(Debug)]
pub struct Feed {
    /// Tells this run of the server from others.
    boot: String,
    rings: Mutex<HashMap<ProjectId, Arc<Ring>>>,
}

#[derive(Debug)]
struct Ring {
    kept: Mutex<Kept>,
    changed: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct Kept {
    notices: VecDeque<Arc<Notice>>,
    /// The number of the first notice kept; they count from 1.
    first: u64,
}

impl Kept {
    fn last(&self) -> u64 {
        self.first + self.notices.len() as u64 - 1
    }
}

impl Feed {
    pub(crate) fn new(boot: String) -> Feed {
        Feed { boot, rings: Mutex::default() }
    }

    fn ring(&self, project: &ProjectId) -> Arc<Ring> {
        let mut rings = self.rings.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ring) = rings.get(project) {
            return ring.clone();
        }
        let kept = Mutex::new(Kept { notices: VecDeque::new(), first: 1 });
        let ring = Arc::new(Ring { kept, changed: watch::Sender::new(()) });
        rings.insert(project.clone(), ring.clone());
        ring
    }

    pub(crate) fn push(&self, project: &ProjectId, notice: Notice) {
        self.push_all(project, [notice]);
    }

    pub(crate) fn push_all(&self, project: &ProjectId, notices: impl IntoIterator<Item = Notice>) {
        let ring = self.ring(project);
        let mut kept = ring.kept();
        kept.notices.extend(notices.into_iter().map(Arc::new));
        let over = kept.notices.len().saturating_sub(RING_MAX);
        kept.notices.drain(..over);
        kept.first += over as u64;
        drop(kept);
        // Fails when nobody follows.
        let _ = ring.changed.send(());
    }

    /// A part of the turn's answer was deleted: what it said is not told again to those who come later, and its end is told
    /// as the turn is now.
    pub(crate) fn erase(&self, project: &ProjectId, turn: &Arc<Turn>) {
        for notice in &mut self.ring(project).kept().notices {
            let Notice::Turn { session, turn: of, shown } = &**notice else { continue };
            if *of != turn.id {
                continue;
            }
            let session = session.clone();
            *notice = Arc::new(match *shown.event {
                Event::Queued { .. } | Event::Started { .. } => continue,
                Event::Ended => {
                    let shown = Shown { turn: Some(turn.clone()), ..shown.clone() };
                    Notice::Turn { session, turn: turn.id.clone(), shown }
                }
                Event::Text { .. }
                | Event::Reasoning { .. }
                | Event::Refusal { .. }
                | Event::ToolCall { .. }
                | Event::PartDone { .. }
                | Event::Snapshot(_) => Notice::Erased { session },
            });
        }
    }

    /// Opaque to clients; stands behind everything that has happened so far.
    pub fn cursor(&self, project: &ProjectId) -> String {
        let last = self.ring(project).kept().last();
        format!("{}-{last}", self.boot)
    }

    /// What happens from now on, or behind a cursor.
    pub fn follow(&self, project: &ProjectId, cursor: Option<&str>) -> Follow {
        let ring = self.ring(project);
        let (first, last) = {
            let kept = ring.kept();
            (kept.first, kept.last())
        };
        let known = cursor.map(|cursor| {
            let number = cursor.strip_prefix(&self.boot)?.strip_prefix('-')?.parse::<u64>().ok()?;
            (number + 1 >= first && number <= last).then_some(number)
        });
        let changes = ring.changed.subscribe();
        let (at, reset) = match known {
            None => (last, false),
            Some(Some(number)) => (number, false),
            Some(None) => (last, true),
        };
        Follow { ring, changes, at, reset, boot: self.boot.clone() }
    }
}

impl Ring {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One follower of a project's feed.
#[derive(Debug)]
pub struct Follow {
    ring: Arc<Ring>,
    changes: watch::Receiver<()>,
    at: u64,
    reset: bool,
    boot: String,
}

#[derive(Debug)]
pub enum Followed {
    /// The cursor is unknown: fetch afresh, then go on from here.
    Reset {
        cursor: String,
    },
    Notices(Vec<(String, Arc<Notice>)>),
}

impl Follow {
    /// Waits for what comes next. Safe to drop and call again.
    pub async fn next(&mut self) -> Followed {
        loop {
            if std::mem::take(&mut self.reset) {
                return Followed::Reset { cursor: format!("{}-{}", self.boot, self.at) };
            }
            self.changes.mark_unchanged();
            let found = {
                let kept = self.ring.kept();
                if self.at + 1 < kept.first {
                    self.at = kept.last();
                    self.reset = true;
                    continue;
                }
                let skip = (self.at + 1 - kept.first) as usize;
                kept.notices.iter().skip(skip).take(256).cloned().collect::<Vec<_>>()
            };
            if !found.is_empty() {
                let first = self.at + 1;
                self.at += found.len() as u64;
                let boot = &self.boot;
                let numbered = found.into_iter().zip(first..).map(|(notice, n)| (format!("{boot}-{n}"), notice));
                return Followed::Notices(numbered.collect());
            }
            if self.changes.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(notices: usize) -> (Feed, ProjectId) {
        let (feed, project) = (Feed::new("boot".into()), "p".parse::<ProjectId>().unwrap());
        (0..notices).for_each(|n| feed.push(&project, updated(n)));
        (feed, project)
    }

    fn updated(n: usize) -> Notice {
        Notice::SessionUpdated { session: format!("s{n}").parse().unwrap() }
    }

    async fn shown(follow: &mut Follow) -> String {
        match follow.next().await {
            Followed::Reset { cursor } => format!("reset {cursor}"),
            Followed::Notices(notices) => {
                notices.iter().map(|(id, n)| format!("{id} {}", n.session())).collect::<Vec<_>>().join(", ")
            }
        }
    }

    #[tokio::test]
    async fn a_follower_goes_on_behind_its_cursor() {
        let (feed, project) = feed(3);
        assert_eq!(shown(&mut feed.follow(&project, Some("boot-1"))).await, "boot-2 s1, boot-3 s2");
        let mut follow = feed.follow(&project, None);
        feed.push(&project, updated(3));
        assert_eq!(shown(&mut follow).await, "boot-4 s3");
    }

    #[tokio::test]
    async fn an_unknown_cursor_is_reset() {
        let (feed, project) = feed(RING_MAX + 5);
        for cursor in ["other-1", "boot-1", "boot-99999999", "boot-x", "", "boot--1"] {
            assert_eq!(shown(&mut feed.follow(&project, Some(cursor))).await, "reset boot-8197", "{cursor}");
        }
        assert!(shown(&mut feed.follow(&project, Some("boot-5"))).await.starts_with("boot-6 "));
    }

    #[tokio::test]
    async fn a_follower_too_slow_for_the_ring_is_reset() {
        let (feed, project) = feed(0);
        let mut follow = feed.follow(&project, None);
        (0..RING_MAX + 1).for_each(|n| feed.push(&project, updated(n)));
        assert_eq!(shown(&mut follow).await, "reset boot-8193");
    }
}
