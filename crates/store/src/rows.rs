//! Between columns and types.

use std::str::FromStr;

use rusqlite::{
    Row,
    types::{FromSql, Type},
};
use serde::{Serialize, de::DeserializeOwned};
use session::time::Time;

use crate::error::{Error, Result};

/// A row's columns, taken one after another in the order of the statement: finding each by its name costs more than
/// reading it.
pub(crate) struct Columns<'a> {
    row: &'a Row<'a>,
    next: usize,
}

impl<'a> Columns<'a> {
    pub(crate) fn of(row: &'a Row<'a>) -> Columns<'a> {
        Columns { row, next: 0 }
    }

    pub(crate) fn text(&mut self) -> rusqlite::Result<Option<&'a str>> {
        let value = self.row.get_ref(self.next)?.as_str_or_null()?;
        self.next += 1;
        Ok(value)
    }

    pub(crate) fn get<T: FromSql>(&mut self) -> rusqlite::Result<T> {
        let value = self.row.get(self.next)?;
        self.next += 1;
        Ok(value)
    }

    /// A word or an id.
    pub(crate) fn word<T: FromStr>(&mut self) -> rusqlite::Result<T> {
        self.optional_word()?.ok_or_else(|| self.damaged("NULL"))
    }

    pub(crate) fn optional_word<T: FromStr>(&mut self) -> rusqlite::Result<Option<T>> {
        let Some(text) = self.text()? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| self.damaged(text))
    }

    pub(crate) fn json<T: DeserializeOwned>(&mut self) -> rusqlite::Result<Option<T>> {
        let Some(text) = self.text()? else { return Ok(None) };
        serde_json::from_str(text).map(Some).map_err(|_| self.damaged("broken JSON"))
    }

    /// About the column taken last.
    fn damaged(&self, found: &str) -> rusqlite::Error {
        damaged(&(self.next - 1).to_string(), found)
    }
}

/// A text column that holds a word or an id.
pub(crate) fn word<T: FromStr>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    text.parse().map_err(|_| damaged(column, text))
}

pub(crate) fn optional_word<T: FromStr>(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<T>> {
    let Some(text) = row.get_ref(column)?.as_str_or_null()? else { return Ok(None) };
    text.parse().map(Some).map_err(|_| damaged(column, text))
}

pub(crate) fn time(row: &Row<'_>, column: &str) -> rusqlite::Result<Time> {
    word(row, column)
}

pub(crate) fn optional_json<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<T>> {
    let Some(text) = row.get_ref(column)?.as_str_or_null()? else { return Ok(None) };
    serde_json::from_str(text).map(Some).map_err(|_| damaged(column, "JSON"))
}

pub(crate) fn json<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(Error::from)
}

fn damaged(column: &str, found: &str) -> rusqlite::Error {
    let message = format!("column {column} holds {found:?}");
    rusqlite::Error::FromSqlConversionFailure(0, Type::Text, message.into())
}

/// A row that may be missing.
pub(crate) fn optional<T>(found: rusqlite::Result<T>) -> Result<Option<T>> {
    match found {
        Ok(value) => Ok(Some(value)),
        Err(rusqlite::Error::QueryReturnedNoRows) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
