//! A second look at JSON that the strict parser refused: upstreams send lone surrogates, raw control characters, broken
//! UTF-8 and repeated keys. Slow, and rarely needed.

/// The same document in strict JSON: what cannot be read becomes U+FFFD, of repeated keys the last stands. `None` when
/// it is not JSON at all.
pub(crate) fn mend(data: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(data);
    let value: serde_json::Value = serde_json::from_str(&escapes(text.trim_start_matches('\u{feff}'))).ok()?;
    Some(value.to_string())
}

fn escapes(text: &str) -> String {
    let mut mended = String::with_capacity(text.len() + 8);
    let mut rest = text;
    let mut in_string = false;
    while let Some(at) = rest.find(|c: char| c == '"' || c == '\\' || c < ' ') {
        mended.push_str(&rest[..at]);
        let special = rest.as_bytes()[at];
        rest = &rest[at..];
        let taken = match special {
            b'\\' => escape(rest, &mut mended),
            b'"' => {
                in_string = !in_string;
                mended.push('"');
                1
            }
            control if in_string => {
                mended.push_str(&format!("\\u{control:04x}"));
                1
            }
            space => {
                mended.push(space.into());
                1
            }
        };
        rest = &rest[taken..];
    }
    mended.push_str(rest);
    mended
}

/// Copies the escape at the beginning of `rest`, and gives its length.
fn escape(rest: &str, mended: &mut String) -> usize {
    let unit = |text: &str| {
        let digits = text.strip_prefix("\\u")?.get(..4)?;
        u16::from_str_radix(digits, 16).ok()
    };
    let taken = match unit(rest) {
        Some(0xD800..=0xDBFF) if matches!(rest.get(6..).and_then(unit), Some(0xDC00..=0xDFFF)) => 12,
        Some(0xD800..=0xDFFF) => {
            mended.push('\u{fffd}');
            return 6;
        }
        // The backslash and what it stands before, which may be longer than a byte.
        _ => rest.char_indices().nth(2).map_or(rest.len(), |(at, _)| at),
    };
    mended.push_str(&rest[..taken]);
    taken
}

/// Without NUL, which no storage of ours takes.
pub(crate) fn clean(mut text: String) -> String {
    if text.contains('\0') {
        text.retain(|c| c != '\0');
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mended(data: &[u8]) -> Option<serde_json::Value> {
        mend(data).map(|text| serde_json::from_str(&text).unwrap())
    }

    #[test]
    fn what_cannot_be_read_is_replaced() {
        assert_eq!(mended(br#""a\ud83db""#).unwrap(), "a\u{fffd}b");
        assert_eq!(mended(br#""a\ude00\ud83d""#).unwrap(), "a\u{fffd}\u{fffd}");
        assert_eq!(mended(br#""\ud83d\ude00 \ud83d\ud83d\ude00""#).unwrap(), "😀 \u{fffd}😀");
        assert_eq!(mended(b"\"a\x80b\"").unwrap(), "a\u{fffd}b");
        assert_eq!(mended(b"{\"a\":\t\"b\nc\\n\"}").unwrap(), serde_json::json!({"a": "b\nc\n"}));
        assert_eq!(mended(br#"{"a":1,"a":2}"#).unwrap(), serde_json::json!({"a": 2}));
        assert_eq!(mended(br#""\\ud83d \" \\""#).unwrap(), r#"\ud83d " \"#);
    }

    #[test]
    fn what_is_no_json_stays_none() {
        for bad in [&b"{\"a\":"[..], b"<html>", b"", b"\"\\", b"\"\\u12", b"\"\\\xc3\xa9\"", b"nul"] {
            assert_eq!(mended(bad), None, "{bad:?}");
        }
        assert_eq!(mend("[".repeat(100_000).as_bytes()), None);
    }

    proptest! {
        #[test]
        fn good_json_is_not_changed(text in any::<String>()) {
            let json = serde_json::Value::from(text);
            prop_assert_eq!(mended(json.to_string().as_bytes()), Some(json));
        }

        #[test]
        fn anything_is_survived(data in prop::collection::vec(any::<u8>(), 0..60)) {
            let mut string = b"\"".to_vec();
            string.extend(&data);
            string.push(b'"');
            let _ = (mend(&data), mend(&string));
        }
    }
}
