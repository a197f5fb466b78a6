//! What every JSON body must satisfy before its own type is looked at: UTF-8, a bounded depth, no key twice in one
//! object, and only strings that every storage engine can hold (no NUL, no lone surrogate).
//!
//! One pass over the text that builds nothing. It comes before the typed parse because maps inside a body (`metadata`,
//! `extra`) would otherwise take the last of two equal keys without a word.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;

use crate::error::{ApiError, clip};
use crate::explain;

/// The text of `raw` if it is sound. `depth_max` counts objects and arrays inside each other, the outermost included;
/// serde_json itself ends at 127.
pub fn check(raw: &[u8], depth_max: usize) -> Result<&str, ApiError> {
    let text = std::str::from_utf8(raw).map_err(|error| {
        let at = error.valid_up_to();
        ApiError::bad_request("invalid_utf8", format!("The body is not UTF-8: see the byte at offset {at}."))
    })?;

    let mut fault = None;
    let mut json = serde_json::Deserializer::from_str(text);
    let seen = Scan { left: depth_max, fault: &mut fault }.deserialize(&mut json).and_then(|()| json.end());
    match seen {
        Ok(()) => Ok(text),
        Err(error) => Err(explained(text, depth_max, fault, error)),
    }
}

fn explained(text: &str, depth_max: usize, fault: Option<Fault>, error: serde_json::Error) -> ApiError {
    match fault {
        Some(Fault::Deep) => ApiError::bad_request(
            "body_too_deep",
            format!("The body nests deeper than json_depth_max = {depth_max} objects and arrays."),
        ),
        Some(Fault::Twice(key)) => {
            let message = format!("The key `{}` stands twice in one object.", clip(&key, 60));
            ApiError::bad_request("duplicate_key", message).param(explain::join(&path_of_fault(text, depth_max), &key))
        }
        Some(Fault::Nul) => ApiError::bad_request("invalid_string", "A string holds a NUL character (U+0000).")
            .param(path_of_fault(text, depth_max)),
        None if is_lone_surrogate(&error) => {
            ApiError::bad_request("invalid_string", format!("A string holds half a surrogate pair: {error}."))
        }
        None if error.classify() == Category::Eof => {
            ApiError::bad_request("invalid_json", format!("The body ends in the middle of a JSON value: {error}."))
        }
        None => ApiError::bad_request("invalid_json", format!("The body is not JSON: {error}.")),
    }
}

/// serde_json keeps its error codes private; the tests notice when a text changes.
fn is_lone_surrogate(error: &serde_json::Error) -> bool {
    let text = error.to_string();
    text.starts_with("lone leading surrogate") || text.starts_with("unexpected end of hex escape")
}

/// Reads the text once more, keeping track: only bodies that are refused pay for it.
fn path_of_fault(text: &str, depth_max: usize) -> String {
    let mut track = serde_path_to_error::Track::new();
    let mut json = serde_json::Deserializer::from_str(text);
    let tracked = serde_path_to_error::Deserializer::new(&mut json, &mut track);
    let _fails_again = Scan { left: depth_max, fault: &mut None }.deserialize(tracked);
    explain::param(&track.path())
}

enum Fault {
    Deep,
    Twice(String),
    Nul,
}

/// `left` is how many more levels may open.
struct Scan<'a> {
    left: usize,
    fault: &'a mut Option<Fault>,
}

impl Scan<'_> {
    fn again(&mut self) -> Scan<'_> {
        Scan { left: self.left, fault: self.fault }
    }

    fn descend<E: Error>(mut self) -> Result<Self, E> {
        match self.left.checked_sub(1) {
            Some(left) => Ok(Self { left, ..self }),
            None => Err(self.fail(Fault::Deep)),
        }
    }

    fn text<E: Error>(&mut self, text: &str) -> Result<(), E> {
        if text.as_bytes().contains(&0) {
            return Err(self.fail(Fault::Nul));
        }
        Ok(())
    }

    fn fail<E: Error>(&mut self, fault: Fault) -> E {
        *self.fault = Some(fault);
        E::custom("refused")
    }
}

impl<'de> DeserializeSeed<'de> for Scan<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Scan<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(mut self, text: &str) -> Result<(), E> {
        self.text(text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let mut inside = self.descend()?;
        while seq.next_element_seed(inside.again())?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut inside = self.descend()?;
        let mut keys: Vec<Cow<'de, str>> = Vec::new();
        while let Some(key) = map.next_key_seed(Key)? {
            inside.text(&key)?;
            keys.push(key);
            map.next_value_seed(inside.again())?;
        }
        // Sorted rather than hashed: a million keys cost one buffer, and no choice of keys makes it slow.
        keys.sort_unstable();
        match keys.windows(2).find(|pair| pair[0] == pair[1]) {
            None => Ok(()),
            Some(pair) => Err(inside.fail(Fault::Twice(pair[0].to_string()))),
        }
    }
}

struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E>(self, key: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}
