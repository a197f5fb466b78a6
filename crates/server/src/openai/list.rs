//! OpenAI's lists of items: `limit`, `after`, `order`, newest first unless asked otherwise.

use std::cmp::Ordering;

use serde::Deserialize;
use serde_json::{Value, json};
use session::message::MessagePart;
use store::{Order, Page};

use super::ids;
use crate::{error::ApiError, page::page};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ItemsQuery {
    /// 1 to 100, default 20.
    limit: Option<u32>,
    /// An item's id.
    after: Option<String>,
    /// `desc` (the default) or `asc`.
    order: Option<String>,
}

/// A list that is being put together, message by message in its order.
pub struct Listed {
    page: Page,
    items: Vec<Value>,
}

impl Listed {
    pub fn new(query: ItemsQuery) -> Result<Listed, ApiError> {
        let page = page(query.limit, query.after, None, query.order.as_deref(), Order::Desc)?;
        Ok(Listed { page, items: Vec::new() })
    }

    /// However many there are, oldest first.
    pub fn all() -> Listed {
        Listed { page: Page { limit: u32::MAX, after: None, before: None, order: Order::Asc }, items: Vec::new() }
    }

    pub fn cursor(&self) -> Option<String> {
        self.page.after.clone()
    }

    /// Messages behind `after` that are certain to be enough: each is one item at least.
    pub fn page(&self, after: Option<String>) -> Page {
        Page { limit: self.page.limit + 1, after, before: None, order: self.page.order }
    }

    /// The items of the next message, or all of one turn's input, oldest first.
    pub fn add(&mut self, mut items: Vec<Value>) {
        if self.page.order == Order::Desc {
            items.reverse();
        }
        self.items.extend(items);
    }

    /// The items of the message that the cursor is a part of: those that come behind it.
    pub fn add_behind(&mut self, cursor: MessagePart, mut items: Vec<Value>) {
        let wanted = if self.page.order == Order::Desc { Ordering::Less } else { Ordering::Greater };
        let part = |item: &Value| item["id"].as_str().and_then(ids::said).map(|said| said.part);
        items.retain(|item| part(item).is_some_and(|part| part.cmp(&cursor) == wanted));
        self.add(items);
    }

    /// Leaves out what was added up to the cursor, which has to be among it.
    pub fn skip_to_cursor(&mut self) -> Result<(), ApiError> {
        if let Some(cursor) = &self.page.after {
            let at =
                self.items.iter().position(|item| item["id"] == **cursor).ok_or(store::Error::BadCursor("after"))?;
            self.items.drain(..=at);
        }
        Ok(())
    }

    pub fn answer(mut self) -> Value {
        let limit = self.page.limit as usize;
        let has_more = self.items.len() > limit;
        self.items.truncate(limit);
        let id = |item: Option<&Value>| item.map(|item| item["id"].clone());
        let (first, last) = (id(self.items.first()), id(self.items.last()));
        json!({"object": "list", "data": self.items, "first_id": first, "last_id": last, "has_more": has_more})
    }
}
