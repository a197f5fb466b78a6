//! The shapes of the native API: what is taken and what is given. `openapi.json` is made from these types.

mod chat;
mod config;
mod events;
mod schema;
mod search;
mod session;
mod turn;

pub use chat::{ChatRequest, EditRequest, OnDisconnect, RerunRequest, ToolResult};
pub use config::{ConfigRequest, ConfigTest, ConfigView, NewConfigRequest};
pub use events::{feed_frame, tells_session, turn_frame};
pub use search::HitView;
pub use session::{
    ActiveTurn, ForkRequest, MessageView, NewSessionRequest, SessionPage, SessionRequest, SessionView, messages,
};
pub use turn::{Answer, PromptView, TurnView};

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};
use utoipa::ToSchema;

/// A stretch of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct List<T> {
    pub data: Vec<T>,
    pub has_more: bool,
    /// The cursor to pass as `after` for what comes next; `null` at the end.
    pub next: Option<String>,
}

impl<T> List<T> {
    /// `cursor` names an entry.
    pub fn new(data: Vec<T>, has_more: bool, cursor: impl Fn(&T) -> String) -> Self {
        let next = data.last().filter(|_| has_more).map(cursor);
        List { data, has_more, next }
    }
}

/// A JSON object, and not the list that a derived type would take as well.
#[derive(Debug)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members(PhantomData))
    }
}

struct Members<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members)).map(Object)
    }
}

/// Tells a field that is `null` (`Some(None)`) from one that is not there (`None`).
pub(crate) fn nullable<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}
