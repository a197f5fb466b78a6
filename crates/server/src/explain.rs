//! Turns what serde says of a value into what a client can act on: a code, the path of the field, and for an unknown
//! name the nearest known one.
//!
//! serde gives its findings as text only, so this reads that text; tests beside `body` and `params` hold it in place.

use std::borrow::Cow;

use serde_path_to_error::Path;

use crate::error::{ApiError, clip};

/// Where the value came from, and so which words and codes the answer uses.
pub enum Source {
    Body,
    Query,
}

/// `text` is serde's message without a position.
pub fn explain(source: &Source, path: &Path, text: &str) -> ApiError {
    let (noun, unknown, missing, twice) = match source {
        Source::Body => ("field", "unknown_field", "missing_field", "duplicate_key"),
        Source::Query => ("query parameter", "unknown_parameter", "missing_parameter", "duplicate_parameter"),
    };
    let at = param(path);
    if let Some(name) = named(text, "unknown field `") {
        let message = format!("Unknown {noun} `{}`. {}", clip(name, 60), suggestion(name, text));
        return ApiError::bad_request(unknown, message).param(at_name(&at, name));
    }
    if let Some(name) = named(text, "missing field `") {
        return ApiError::bad_request(missing, format!("The {noun} `{name}` is missing.")).param(join(&at, name));
    }
    if let Some(name) = named(text, "duplicate field `") {
        return ApiError::bad_request(twice, format!("The {noun} `{name}` is given twice.")).param(at_name(&at, name));
    }
    if let Some(name) = named(text, "unknown variant `") {
        let message = format!("`{}` is not a value of this {noun}. {}", clip(name, 60), suggestion(name, text));
        return ApiError::bad_request("invalid_value", message).param(at);
    }
    let text = plain(text);
    let message = match at.as_str() {
        "" => format!("The value does not fit: {}.", clip(&text, 300)),
        at => format!("The {noun} `{at}` does not fit: {}.", clip(&text, 300)),
    };
    let error = ApiError::bad_request("invalid_value", message);
    if at.is_empty() { error } else { error.param(at) }
}

/// serde ends with what it expected, and calls that by the name of a type.
fn plain(text: &str) -> Cow<'_, str> {
    let Some((found, expected)) = text.rsplit_once("expected ") else { return text.into() };
    let expected = match expected {
        "f64" => "a number",
        "i64" => "a whole number",
        "u64" => "a whole number, 0 or more",
        "u32" => "a whole number from 0 to 4294967295",
        "a sequence" => "a list",
        "a map" => "an object",
        // Of a word that is one of several.
        "value" | "string or map" => "a string",
        word if word.starts_with("variant ") => "a string",
        of_ours if of_ours.contains("struct ") || of_ours.contains("enum ") => "an object",
        expected => expected,
    };
    format!("{found}expected {expected}").into()
}

/// The path as `messages[2].content`; empty for the value itself.
pub fn param(path: &Path) -> String {
    if path.iter().next().is_none() {
        return String::new();
    }
    clip(&path.to_string(), 200).into_owned()
}

pub fn join(parent: &str, name: &str) -> String {
    let name = clip(name, 60);
    if parent.is_empty() { name.into_owned() } else { format!("{parent}.{name}") }
}

/// serde reports an unknown or doubled name sometimes at the object and sometimes already at the name.
fn at_name(at: &str, name: &str) -> String {
    let ends_with_name = at.strip_suffix(name).is_some_and(|head| head.is_empty() || head.ends_with('.'));
    if ends_with_name { at.to_owned() } else { join(at, name) }
}

/// The text between `prefix` and the back-tick that ends the name.
fn named<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let rest = text.strip_prefix(prefix)?;
    let end = rest.rfind("`, expected ").or_else(|| rest.rfind("`, there are no ")).or_else(|| rest.rfind('`'))?;
    Some(&rest[..end])
}

fn suggestion(name: &str, text: &str) -> String {
    let known: Vec<&str> = match text.rfind("`, expected ") {
        Some(at) => text[at + 1..].split('`').skip(1).step_by(2).collect(),
        None => return "There are none here.".to_owned(),
    };
    match nearest(name, &known) {
        Some(near) => format!("Did you mean `{near}`?"),
        None => format!("Known here: {}.", known.join(", ")),
    }
}

fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    // The distance costs length × length; no name of ours is near that long.
    if name.len() > 64 {
        return None;
    }
    let tolerated = (name.chars().count() / 3).max(1);
    known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), *candidate))
        .filter(|(distance, _)| *distance <= tolerated)
        .min()
        .map(|(_, candidate)| candidate)
}
