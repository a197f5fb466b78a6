//! Types that take what an upstream sends where it should have sent something else: a field of a wrong type counts as
//! absent, it does not fail the answer. Strings are borrowed from the chunk where they need no unescaping.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

/// Text; empty when it is null or something else.
#[derive(Debug, Default, PartialEq)]
pub struct Str<'a>(pub Cow<'a, str>);

/// A number in 0..=u32::MAX: no count of tokens is greater, and sums of many stay exact. What lies outside is clamped.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub struct Num(pub Option<u32>);

/// Plain text, or parts as Mistral sends with its thinking models.
/// <https://docs.mistral.ai/capabilities/reasoning/>
#[derive(Debug, PartialEq)]
pub enum Content<'a> {
    Text(Cow<'a, str>),
    Parts(Vec<Part<'a>>),
}

impl Default for Content<'_> {
    fn default() -> Self {
        Content::Text(Cow::Borrowed(""))
    }
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Part<'a> {
    #[serde(borrow)]
    pub text: Str<'a>,
    #[serde(borrow)]
    pub thinking: Content<'a>,
}

/// Whatever is not the type wanted gives the default.
macro_rules! otherwise_default {
    ($($name:ident: $type:ty),* $(,)?) => {
        $(fn $name<E>(self, _: $type) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        })*

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok(Self::Value::default())
        }
    };
}

macro_rules! otherwise_default_for_lists {
    () => {
        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            Ok(Self::Value::default())
        }
    };
}

impl<'de: 'a, 'a> Deserialize<'de> for Str<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Str<'de>;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("text")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Str<'de>, E> {
                Ok(Str(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Str<'de>, E> {
                Ok(Str(Cow::Owned(text.to_owned())))
            }
            otherwise_default!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64);
            otherwise_default_for_lists!();
        }
        deserializer.deserialize_any(Text)
    }
}

impl<'de> Deserialize<'de> for Num {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl<'de> Visitor<'de> for Number {
            type Value = Num;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a number")
            }
            fn visit_u64<E>(self, n: u64) -> Result<Num, E> {
                Ok(Num(Some(u32::try_from(n).unwrap_or(u32::MAX))))
            }
            fn visit_i64<E>(self, n: i64) -> Result<Num, E> {
                Ok(Num(Some(u32::try_from(n.max(0)).unwrap_or(u32::MAX))))
            }
            fn visit_f64<E>(self, n: f64) -> Result<Num, E> {
                // A cast from float saturates, and NaN gives 0.
                Ok(Num(Some(n as u32)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Num, E> {
                Ok(Num(text.trim().parse().ok()))
            }
            otherwise_default!(visit_bool: bool);
            otherwise_default_for_lists!();
        }
        deserializer.deserialize_any(Number)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Content<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrParts;
        impl<'de> Visitor<'de> for TextOrParts {
            type Value = Content<'de>;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("text or parts")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Content<'de>, E> {
                Ok(Content::Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Content<'de>, E> {
                Ok(Content::Text(Cow::Owned(text.to_owned())))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Content<'de>, A::Error> {
                let mut parts = Vec::new();
                while let Some(part) = list.next_element()? {
                    parts.push(part);
                }
                Ok(Content::Parts(parts))
            }
            otherwise_default!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64);
        }
        deserializer.deserialize_any(TextOrParts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_type_counts_as_absent() {
        for json in ["null", "1", "-1.5", "true", "[1,{}]", "{\"a\":[]}"] {
            assert_eq!(serde_json::from_str::<Str>(json).unwrap(), Str::default(), "{json}");
        }
        for json in ["null", "\"x\"", "true", "[1]", "{\"a\":1}"] {
            assert_eq!(serde_json::from_str::<Num>(json).unwrap(), Num(None), "{json}");
        }
    }

    #[test]
    fn numbers_are_clamped() {
        let number = |json: &str| serde_json::from_str::<Num>(json).unwrap().0;
        for (json, n) in [("7", 7), ("-7", 0), ("7.9", 7), ("1e300", u32::MAX), ("-1e300", 0), ("\"7\"", 7)] {
            assert_eq!(number(json), Some(n), "{json}");
        }
        assert_eq!(number("9223372036854775808"), Some(u32::MAX));
        assert_eq!(number("99999999999999999999999999"), Some(u32::MAX));
    }

    #[test]
    fn text_is_borrowed_where_it_can_be() {
        let Str(plain) = serde_json::from_str("\"a b\"").unwrap();
        assert!(matches!(plain, Cow::Borrowed("a b")));
        let Str(escaped) = serde_json::from_str("\"a\\nb\"").unwrap();
        assert!(matches!(escaped, Cow::Owned(ref text) if text == "a\nb"));
    }
}
