//! Titles that a model makes: what it is asked, and what of its answer is one.

use crate::{message::Message, words::words};

words! {
    /// How a session that nobody has named gets its title.
    pub enum AutoTitle {
        /// The first line of its first message.
        FirstLine = "first_line",
        /// A model makes one of the first exchange.
        Model = "model",
    }
}

/// Of each of the two texts that a title is made of.
const EXCERPT_CHARS_MAX: usize = 1_500;
const CHARS_MAX: usize = 80;

const ASK: &str = "You name conversations. Read how this one begins and answer with a title for it: at most eight words, \
                   or sixteen Chinese characters, in the language of its first message, without quotation marks and \
                   without a full stop. Do not answer what is said in it. The title is all you write.";

/// What a model is sent to make a title of a conversation's beginning.
pub fn ask(message: &str, answer: &str) -> [Message; 2] {
    let excerpt = |text: &str| -> String { text.trim().chars().take(EXCERPT_CHARS_MAX).collect() };
    let begins = format!("First message:\n{}\n\nAnswer:\n{}\n\nTitle:", excerpt(message), excerpt(answer));
    [Message::system(ASK), Message::user(&begins)]
}

/// The title in a model's answer, if there is one: one line, and nothing that a list could not show as it is.
pub fn of_answer(answer: &str) -> Option<String> {
    let said = match answer.trim_start().strip_prefix("<think>") {
        Some(thought) => thought.split_once("</think>")?.1,
        None => answer,
    };
    let line = said.lines().map(bare).find(|line| line.contains(char::is_alphanumeric))?;
    let cut: String = line.chars().take(CHARS_MAX).collect();
    Some(if cut.len() < line.len() { cut.chars().take(CHARS_MAX - 1).chain(['…']).collect() } else { cut })
}

/// A line without what models put around a title.
fn bare(line: &str) -> String {
    let shown: String = line.chars().filter(|c| !is_hidden(*c)).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut rest = shown.trim();
    while let Some(inner) = unwrapped(rest) {
        rest = inner.trim();
    }
    rest.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn unwrapped(line: &str) -> Option<&str> {
    let headed = || line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#'));
    let listed = || ["- ", "* ", "> "].iter().find_map(|mark| line.strip_prefix(mark));
    let labelled = || {
        let after = |label: &&str| {
            let (start, rest) = line.split_at_checked(label.len())?;
            start.eq_ignore_ascii_case(label).then_some(rest)
        };
        LABELS.iter().find_map(after)
    };
    // A pair that goes around all of it: in “a” and “b” the marks belong to the words.
    let paired = || {
        PAIRS.iter().find_map(|(open, close)| {
            let inner = line.strip_prefix(open)?.strip_suffix(close)?;
            (!inner.contains(close)).then_some(inner)
        })
    };
    headed().or_else(listed).or_else(labelled).or_else(paired).or_else(|| line.strip_suffix(['.', '。', '．']))
}

const LABELS: [&str; 8] =
    ["title:", "title：", "标题:", "标题：", "**title:**", "**title**:", "**标题：**", "**标题**："];
const PAIRS: [(&str, &str); 14] = [
    ("**", "**"),
    ("__", "__"),
    ("*", "*"),
    ("_", "_"),
    ("`", "`"),
    ("\"", "\""),
    ("'", "'"),
    ("“", "”"),
    ("‘", "’"),
    ("「", "」"),
    ("『", "』"),
    ("《", "》"),
    ("【", "】"),
    ("«", "»"),
];

/// Characters that turn the direction of what follows, or are not seen at all. Joiners stay: words and emoji need them.
fn is_hidden(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_one_bare_line() {
        for (answer, title) in [
            ("Trip to Kyoto", "Trip to Kyoto"),
            ("  \n\n\"Trip to Kyoto.\"\nSecond line", "Trip to Kyoto"),
            ("**Title:** Trip to Kyoto", "Trip to Kyoto"),
            ("# TITLE: “Trip”", "Trip"),
            ("- `a` and `b`", "`a` and `b`"),
            ("“a” and “b”", "“a” and “b”"),
            ("Python __init__ in C#", "Python __init__ in C#"),
            ("#1 in the list", "#1 in the list"),
            ("《京都之行》。", "京都之行"),
            ("标题：京都之行", "京都之行"),
            ("「京都」之行", "「京都」之行"),
            ("<think>\nA trip…\n</think>\n\nTrip to Kyoto", "Trip to Kyoto"),
            ("a\u{202e}b\u{2066}c\u{200b}\u{feff}d\te\u{7}f", "abcd e f"),
            ("👩\u{200d}🚀 Launch", "👩\u{200d}🚀 Launch"),
            ("What is 3.14?", "What is 3.14?"),
        ] {
            assert_eq!(of_answer(answer).as_deref(), Some(title), "{answer:?}");
        }
        for none in [
            "",
            " \n\t\n",
            "\"\"",
            "***",
            "<think>never done",
            "<think>a</think>\n",
            "\u{202e}\u{200b}",
            "Title:",
            "...",
        ] {
            assert_eq!(of_answer(none), None, "{none:?}");
        }
    }

    #[test]
    fn a_title_is_short() {
        for length in [79, 80, 81, 10_000] {
            let title = of_answer(&"好".repeat(length)).unwrap();
            assert_eq!(title.chars().count(), length.min(CHARS_MAX));
            assert_eq!(title.ends_with('…'), length > CHARS_MAX);
        }
    }

    #[test]
    fn no_more_than_the_beginning_is_sent() {
        let sent = ask(&"好".repeat(9_000), &"b".repeat(9_000));
        let all: usize = sent.iter().map(|message| message.content.text().chars().count()).sum();
        assert!(all < 2 * EXCERPT_CHARS_MAX + 500, "{all}");
        assert!(sent[1].content.text().contains("Answer:\nbbb"));
    }
}
