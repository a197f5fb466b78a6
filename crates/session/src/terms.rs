//! The terms of a text: what the search index holds, and what a search looks for.
//!
//! Scripts with spaces give their words, folded to lower case. The others (Chinese, Japanese, Thai…; Korean too, whose
//! words grow endings) give each character with the one after it, and the last of a run alone: 北京大学 is 北京, 京大,
//! 大学 and 学. So a word of two characters is one term, a longer one is a phrase of terms, and a single character is
//! the beginning of a term wherever it stands.
//!
//! A change of what comes out here wants a migration that empties the index, so that it is made anew.

use std::{borrow::Cow, ops::Range};

/// Of a longer word, an encoded file perhaps, only the beginning counts.
const WORD_CHARS_MAX: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term<'a> {
    pub text: Cow<'a, str>,
    /// Where it stands, in bytes.
    pub at: Range<usize>,
    /// Of a script without spaces: one or two characters.
    pub unspaced: bool,
}

/// All terms in order. Neighbours in a text are neighbours here, whatever stands between them.
pub fn terms(text: &str) -> impl Iterator<Item = Term<'_>> {
    let mut next = 0;
    std::iter::from_fn(move || {
        next += text[next..].find(|c| is_unspaced(c) || is_word(c))?;
        let rest = &text[next..];
        let start = next;
        let first = rest.chars().next()?;
        if is_unspaced(first) {
            next += first.len_utf8();
            let second = text[next..].chars().next().filter(|c| is_unspaced(*c));
            let end = next + second.map_or(0, char::len_utf8);
            return Some(Term { text: text[start..end].into(), at: start..end, unspaced: true });
        }
        let end = start + rest.find(|c| is_unspaced(c) || !is_word(c)).unwrap_or(rest.len());
        next = end;
        Some(Term { text: folded(&text[start..end]), at: start..end, unspaced: false })
    })
}

/// Letters and digits, and accents that follow their letter as characters of their own.
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || (!c.is_ascii() && (c.is_alphanumeric() || matches!(c, '\u{300}'..='\u{36f}')))
}

fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{0e01}'..='\u{0e3a}' | '\u{0e40}'..='\u{0e4e}' | '\u{0e81}'..='\u{0ecd}' // Thai, Lao
        | '\u{1000}'..='\u{103f}' | '\u{1780}'..='\u{17d3}'                         // Burmese, Khmer
        | '\u{1100}'..='\u{11ff}' | '\u{3131}'..='\u{318e}' | '\u{ac00}'..='\u{d7a3}' // Hangul
        | '\u{2e80}'..='\u{2fd5}' | '々' | '〆' | '〇'
        | '\u{3041}'..='\u{309f}' | '\u{30a1}'..='\u{30fa}' | '\u{30fc}'..='\u{30ff}' // Kana
        | '\u{31f0}'..='\u{31ff}' | '\u{ff66}'..='\u{ff9f}' | '\u{3105}'..='\u{312f}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
}

fn folded(word: &str) -> Cow<'_, str> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    if word.bytes().all(plain) {
        return word[..word.len().min(WORD_CHARS_MAX)].into();
    }
    word.chars().map(half_width).flat_map(char::to_lowercase).take(WORD_CHARS_MAX).collect()
}

/// What Chinese and Japanese keyboards write: Ａ１ for A1.
fn half_width(c: char) -> char {
    match c {
        '\u{ff10}'..='\u{ff5a}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_folded_and_runs_without_spaces_come_in_pairs() {
        for (text, expected) in [
            ("", ""),
            (" ,.!? \n", ""),
            ("Hello, World", "hello world"),
            ("don't", "don t"),
            ("北京", "北京 京"),
            ("北京大学", "北京 京大 大学 学"),
            ("京", "京"),
            ("北京，上海。", "北京 京 上海 海"),
            ("我用Rust写代码", "我用 用 rust 写代 代码 码"),
            ("北京2008年", "北京 京 2008 年"),
            ("東京タワー", "東京 京タ タワ ワー ー"),
            ("안녕하세요 세계", "안녕 녕하 하세 세요 요 세계 계"),
            ("สวัสดี", "สว วั ัส สด ดี ี"),
            ("𠮷野家", "𠮷野 野家 家"),
            ("Привет, МИР", "привет мир"),
            ("Café CAFÉ", "café café"),
            ("ＡＰＩ１２ ｋｅｙ", "api12 key"),
            ("get_user_name std::vec 3.54 x-y", "get user name std vec 3 54 x y"),
            ("getUserName", "getusername"),
            ("İ", "i\u{307}"),
            ("a😀b 👍", "a b"),
            ("{\"a\": [1, true]}", "a 1 true"),
        ] {
            let found: Vec<String> = terms(text).map(|term| term.text.into_owned()).collect();
            assert_eq!(found.join(" "), expected, "{text}");
        }
    }

    #[test]
    fn a_term_says_where_it_stands() {
        let text = "在 北京A1。";
        let found: Vec<&str> = terms(text).map(|term| &text[term.at]).collect();
        assert_eq!(found, ["在", "北京", "京", "A1"]);
    }

    #[test]
    fn no_term_is_long() {
        for word in ["x".repeat(1000), "Ä".repeat(1000)] {
            let found: Vec<_> = terms(&word).collect();
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].text.chars().count(), WORD_CHARS_MAX);
        }
    }
}
