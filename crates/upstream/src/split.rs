//! Cuts text into pieces about as large as a model's tokens.

/// Words with the space before them, long words in parts, each CJK character by itself.
pub(crate) fn tokens(text: &str) -> Vec<String> {
    const LETTERS_MAX: usize = 8;
    let mut tokens: Vec<String> = Vec::new();
    let mut letters = 0;
    for c in text.chars() {
        let starts = c.is_whitespace() || !c.is_ascii() || letters >= LETTERS_MAX;
        match tokens.last_mut() {
            Some(token) if !starts => token.push(c),
            _ => {
                tokens.push(c.to_string());
                letters = 0;
            }
        }
        // A character of its own must not draw the next letters to it.
        letters = if c.is_ascii() { letters + 1 } else { LETTERS_MAX };
    }
    tokens
}

/// Cuts at the given byte positions, each moved back to the start of its character.
pub(crate) fn at_bytes(text: &str, positions: &[usize]) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut from = 0;
    for &position in positions {
        let to = text.floor_char_boundary(position);
        if to > from {
            pieces.push(text[from..to].to_owned());
            from = to;
        }
    }
    pieces.push(text[from..].to_owned());
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_give_the_text_back() {
        for text in ["", "Hello, world", "你好,world", "a  b\nc", "internationalisation", "🙂🙂 ok"] {
            assert_eq!(tokens(text).concat(), text);
        }
    }

    #[test]
    fn tokens_are_words_or_single_cjk_characters() {
        assert_eq!(tokens("Hello big world"), ["Hello", " big", " world"]);
        assert_eq!(tokens("你好 ok"), ["你", "好", " ok"]);
        assert_eq!(tokens("internationalisation"), ["internat", "ionalisa", "tion"]);
    }

    #[test]
    fn cuts_never_split_a_character() {
        assert_eq!(at_bytes("a你b", &[2, 4]), ["a", "你", "b"]);
        assert_eq!(at_bytes(r"\u00e9", &[4, 99]), [r"\u00", "e9", ""]);
    }
}
