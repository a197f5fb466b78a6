//! A scheduler over a store in a directory of its own, and the words to drive it with.

use std::{sync::Arc, time::Duration};

use provider::{
    Providers,
    scripted::{Gate, Scripted, Step},
};
use scheduler::{Accepted, Ask, AskInput, Clock, Durability, Scheduler, Settings, Shown, Watch};
use session::{
    config::{Config, Timeouts},
    event::{Event, EventId},
    id::{ConfigId, ProjectId, SessionId, TurnId},
    lane::{IfBusy, OnFailure},
    message::Role,
    time::Time,
    title::AutoTitle,
    turn::Options,
};
use store::{Closing, ConfigChange, Faults, NewSession, Order, Page, Parent, SessionRef, Store, Turn};

pub const CLOCK: Clock = Clock {
    now: || {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        Time::from_ms(since.as_millis() as i64)
    },
    uuid: uuid::Uuid::now_v7,
    chance: || 0.5,
};

pub struct Rig {
    pub scheduler: Scheduler,
    pub scripted: Scripted,
    pub dir: Arc<tempfile::TempDir>,
    closing: Closing,
}

pub fn project() -> ProjectId {
    "p".parse().unwrap()
}

pub fn id(name: &str) -> SessionId {
    name.parse().unwrap()
}

pub fn quick() -> Settings {
    let mut settings = Settings { hold_ms: 60_000, ..Settings::default() };
    settings.limits.backoff_ms = 1;
    settings
}

impl Rig {
    pub async fn new(settings: Settings) -> Rig {
        Rig::in_dir(Arc::new(tempfile::tempdir().unwrap()), settings).await
    }

    /// As a server that starts on this directory, recovery left out.
    pub async fn in_dir(dir: Arc<tempfile::TempDir>, settings: Settings) -> Rig {
        let (store, closing) = Store::open(dir.path(), None, Faults::default()).unwrap();
        if store.configs(project()).await.unwrap().is_empty() {
            let change = ConfigChange { config: config(), origin: None, key: None, make_default: true, titles: None };
            store.create_config(project(), "c".parse().unwrap(), change, None, CLOCK.now()).await.unwrap();
        }
        let scripted = Scripted::default();
        let scheduler = Scheduler::new(store, Providers::with_scripted(scripted.clone()), settings, CLOCK);
        Rig { scheduler, scripted, dir, closing }
    }

    pub async fn session(&self, name: &str, on_failure: OnFailure) -> SessionId {
        let new = NewSession {
            id: id(name),
            title: None,
            auto_title: AutoTitle::FirstLine,
            config: None,
            system: None,
            metadata: serde_json::json!({}),
            on_failure,
        };
        self.scheduler.store().create_session(project(), new, None, CLOCK.now()).await.unwrap()
    }

    pub async fn change_config(&self, change: impl FnOnce(&mut Config)) {
        let store = self.scheduler.store();
        let name: ConfigId = "c".parse().unwrap();
        let stored = store.config(project(), name.clone()).await.unwrap().unwrap();
        let mut config = stored.config;
        change(&mut config);
        let change = ConfigChange { config, origin: None, key: None, make_default: false, titles: None };
        store.change_config(project(), name, stored.revision, change, CLOCK.now()).await.unwrap();
    }

    pub async fn send(&self, session: &SessionId, text: &str) -> Accepted {
        self.try_send(session, text, IfBusy::Queue).await.unwrap()
    }

    pub async fn try_send(&self, session: &SessionId, text: &str, if_busy: IfBusy) -> store::Result<Accepted> {
        self.scheduler.admit(Ask { if_busy, ..ask(session, AskInput::Message(text.into())) }).await
    }

    pub async fn turn(&self, turn: &TurnId) -> Turn {
        self.scheduler.store().turn(project(), turn.clone()).await.unwrap().unwrap()
    }

    pub fn watch(&self, turn: &TurnId, after: EventId) -> Watch {
        self.scheduler.watch(project(), turn.clone(), after)
    }

    /// The head's path, a line for each message, `u:` and `a:`.
    pub async fn path(&self, session: &SessionId) -> Vec<String> {
        let page = Page { limit: 1000, after: None, before: None, order: Order::Asc };
        let path = self.scheduler.store().path(project(), session.clone(), None, page).await.unwrap();
        path.messages
            .into_iter()
            .map(|found| {
                let message = found.message.message;
                let who = match message.role {
                    Role::User => "u",
                    Role::Assistant => "a",
                    Role::Tool => "t",
                    Role::System => "s",
                };
                format!("{who}:{}", message.content.text())
            })
            .collect()
    }

    /// Every turn of a session as text: number, status, its answer.
    pub async fn turns(&self, session: &SessionId) -> Vec<String> {
        let page = Page { limit: 1000, after: None, before: None, order: Order::Asc };
        let turns = self.scheduler.store().turns(project(), session.clone(), page).await.unwrap().turns;
        turns
            .iter()
            .map(|turn| {
                let number = turn.number.map_or("-".into(), |n| n.to_string());
                let said = turn.answer.as_ref().map(|a| a.message.content.text().into_owned()).unwrap_or_default();
                let reason = turn.reason.map(|reason| format!("/{}", reason.as_str())).unwrap_or_default();
                format!("{number} {}{reason} {said}", turn.status.as_str()).trim_end().to_owned()
            })
            .collect()
    }

    /// The process is gone: its tasks are dropped where they stand. Call from outside of the runtime that ran it.
    pub fn crash(self, runtime: tokio::runtime::Runtime) -> Arc<tempfile::TempDir> {
        let Rig { scheduler, scripted: _, dir, closing } = self;
        runtime.shutdown_timeout(Duration::from_secs(5));
        drop(scheduler);
        closing.wait();
        dir
    }
}

pub fn ask(session: &SessionId, input: AskInput) -> Ask {
    Ask {
        project: project(),
        session: Some(SessionRef::Existing(session.clone())),
        input,
        parent: Parent::Head,
        options: Options::default(),
        metadata: None,
        request: None,
        config: None,
        if_busy: IfBusy::Queue,
        free: false,
        key: None,
    }
}

fn config() -> Config {
    Config {
        name: "c".into(),
        provider: "scripted".into(),
        base_url: None,
        api_key_env: None,
        model: "m".into(),
        system: None,
        params: Default::default(),
        window: Default::default(),
        timeouts: Timeouts::default(),
        max_concurrency: None,
    }
}

/// Everything that a watcher sees, to the end.
pub async fn all(mut watch: Watch) -> Vec<Shown> {
    let mut events = Vec::new();
    while let Some(next) = watch.next().await {
        events.extend(next.unwrap());
    }
    events
}

/// As text, so that streams can be compared and read.
pub fn shown(events: &[Shown]) -> Vec<String> {
    events.iter().map(|shown| format!("{} {}", shown.id, said(shown))).collect()
}

fn said(shown: &Shown) -> String {
    match &*shown.event {
        Event::Queued { position } => format!("queued {position}"),
        Event::Started { model, attempt } => format!("started {model} {attempt}"),
        Event::Text { text, offset } => format!("text {offset} {text:?}"),
        Event::Reasoning { text, offset, .. } => format!("reasoning {offset} {text:?}"),
        Event::Refusal { text, offset } => format!("refusal {offset} {text:?}"),
        Event::ToolCall { index, name, arguments, .. } => format!("call {index} {name:?} {arguments:?}"),
        Event::PartDone { kind, index } => format!("done {} {index}", kind.as_str()),
        Event::Snapshot(snapshot) => format!("snapshot {:?}", snapshot.text),
        Event::Ended => {
            let turn = shown.turn.as_ref().unwrap();
            let text = turn.answer.as_ref().map(|a| a.message.content.text().into_owned()).unwrap_or_default();
            let code = turn.error.as_ref().map(|error| format!(" {}", error.code.as_str())).unwrap_or_default();
            let reason = turn.reason.map(|reason| format!("/{}", reason.as_str())).unwrap_or_default();
            format!("{}{reason}{code} {text:?}", turn.status.as_str())
        }
    }
}

/// Text, then a gate, then more: for tests that look at a turn in its middle.
pub fn halves(gate: &Gate) -> [Step; 4] {
    [Step::text("Hel"), Step::Wait(gate.clone()), Step::text("lo"), Step::stop()]
}

pub fn strict() -> Settings {
    Settings { durability: Durability::Strict, ..quick() }
}
