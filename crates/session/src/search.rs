//! Searching, as far as it needs no index: what a query asks for, what of a text is shown, which hit comes first.

use std::{collections::VecDeque, ops::Range};

use crate::{
    terms::{Term, terms},
    time::Time,
};

/// Of a longer message only the beginning is searched.
const SEARCHED_BYTES_MAX: usize = 64 << 10;
/// Characters shown of a text, and how many of them stand before the first hit.
const SNIPPET_CHARS: usize = 120;
const SNIPPET_CHARS_BEFORE: usize = 30;
/// A last word shorter than this has to stand as it is: too many begin with it.
const PREFIX_CHARS_MIN: usize = 3;
/// A hit of this moment counts twice as much as one that is very old; after this long, half of that is gone.
const RECENCY_HALVES_MS: f64 = 30.0 * 24.0 * 3_600_000.0;

/// The part of a message that is searched.
pub fn searched(text: &str) -> &str {
    &text[..text.floor_char_boundary(SEARCHED_BYTES_MAX)]
}

/// What is looked for. All of it is text; there are no operators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Each has to be in a text, in any order.
    pub phrases: Vec<Phrase>,
}

/// Terms that stand next to each other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Phrase {
    pub terms: Vec<String>,
    /// The last term may be the beginning of one.
    pub prefix: bool,
}

/// A stretch of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    pub text: String,
    pub hit: bool,
}

impl Query {
    /// Terms with only ASCII punctuation between them, or nothing, belong together: `foo_bar`, `3.54`, 北京大学.
    pub fn new(text: &str) -> Query {
        let mut runs: Vec<Vec<Term<'_>>> = Vec::new();
        for term in terms(text) {
            match runs.last_mut() {
                Some(run) if run.last().is_some_and(|before| is_joined(text, before, &term)) => run.push(term),
                _ => runs.push(vec![term]),
            }
        }
        let last = runs.len().saturating_sub(1);
        Query { phrases: runs.into_iter().enumerate().map(|(at, run)| phrase(run, at == last)).collect() }
    }

    /// The neighbourhood of the first hit, at most 120 characters of it.
    pub fn snippet(&self, text: &str) -> Vec<Piece> {
        let text = searched(text);
        let mut hits = Hits::new(self, text).peekable();
        let first = hits.peek().map_or(0, |hit| hit.start);
        let start = text[..first].char_indices().rev().nth(SNIPPET_CHARS_BEFORE - 1).map_or(0, |(at, _)| at);
        let end = text[start..].char_indices().nth(SNIPPET_CHARS).map_or(text.len(), |(at, _)| start + at);
        pieces(text, start..end, hits.take_while(|hit| hit.start < end))
    }
}

fn is_joined(text: &str, before: &Term<'_>, term: &Term<'_>) -> bool {
    let between = text.get(before.at.end..term.at.start).unwrap_or_default();
    between.bytes().all(|byte| byte.is_ascii_punctuation())
}

fn phrase(mut run: Vec<Term<'_>>, is_last: bool) -> Phrase {
    let prefix = match &run[..] {
        // The pair before says it already, and in the text the run may go on.
        [.., pair, alone] if alone.unspaced && pair.at.end == alone.at.end => {
            run.pop();
            false
        }
        [.., alone] if alone.unspaced => true,
        [.., word] => is_last && word.text.chars().count() >= PREFIX_CHARS_MIN,
        [] => false,
    };
    Phrase { terms: run.into_iter().map(|term| term.text.into_owned()).collect(), prefix }
}

/// Where the phrases of a query stand in a text, in the order in which they end.
struct Hits<'a, I> {
    query: &'a Query,
    terms: I,
    /// The newest terms, as many as the longest phrase has.
    window: VecDeque<Term<'a>>,
    longest: usize,
}

impl<'a> Hits<'a, ()> {
    fn new(query: &'a Query, text: &'a str) -> Hits<'a, impl Iterator<Item = Term<'a>>> {
        let longest = query.phrases.iter().map(|phrase| phrase.terms.len()).max().unwrap_or(0);
        Hits { query, terms: terms(text), window: VecDeque::with_capacity(longest + 1), longest }
    }
}

impl<'a, I: Iterator<Item = Term<'a>>> Iterator for Hits<'a, I> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        loop {
            self.window.push_back(self.terms.next()?);
            if self.window.len() > self.longest {
                self.window.pop_front();
            }
            let ends_here = self.query.phrases.iter().filter_map(|phrase| phrase.ends(&self.window));
            if let Some(hit) = ends_here.min_by_key(|hit| hit.start) {
                return Some(hit);
            }
        }
    }
}

impl Phrase {
    /// Where it stands, if it ends with the window.
    fn ends(&self, window: &VecDeque<Term<'_>>) -> Option<Range<usize>> {
        let from = window.len().checked_sub(self.terms.len())?;
        let (last, before) = self.terms.split_last()?;
        let found = window.back()?;
        let begins = self.prefix && found.text.starts_with(last.as_str());
        let fits = begins || *last == found.text;
        if !fits || !before.iter().zip(window.range(from..)).all(|(wanted, found)| *wanted == found.text) {
            return None;
        }
        // One character of a pair, or the whole word that was begun.
        let end = if begins && found.unspaced { found.at.start + last.len() } else { found.at.end };
        Some(window[from].at.start..end)
    }
}

fn pieces(text: &str, shown: Range<usize>, hits: impl Iterator<Item = Range<usize>>) -> Vec<Piece> {
    let mut marked: Vec<Range<usize>> = Vec::new();
    for hit in hits {
        let mut hit = hit.start.max(shown.start)..hit.end.min(shown.end);
        // A long phrase ends after short ones that stand in it.
        while let Some(before) = marked.pop_if(|before| hit.start <= before.end) {
            hit = before.start.min(hit.start)..before.end.max(hit.end);
        }
        marked.push(hit);
    }
    let mut pieces: Vec<Piece> = Vec::new();
    let mut add = |text: &str, hit: bool| match pieces.last_mut() {
        _ if text.is_empty() => {}
        Some(last) if last.hit == hit => last.text.push_str(text),
        _ => pieces.push(Piece { text: text.to_owned(), hit }),
    };
    add(if shown.start > 0 { "…" } else { "" }, false);
    let mut at = shown.start;
    for hit in marked {
        add(&text[at..hit.start], false);
        add(&text[hit.clone()], true);
        at = hit.end;
    }
    add(&text[at..shown.end], false);
    add(if shown.end < text.len() { "…" } else { "" }, false);
    pieces
}

/// How much a hit is worth: its score by BM25 (more is better), the more the newer it is.
pub fn worth(bm25: f64, at: Time, now: Time) -> f64 {
    bm25 * (1.0 + RECENCY_HALVES_MS / (RECENCY_HALVES_MS + now.since(at) as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Phrases in brackets where they have several terms, `*` where the last one may go on.
    fn shown(query: &str) -> String {
        let phrase = |phrase: &Phrase| {
            let terms = phrase.terms.join(" ");
            let star = if phrase.prefix { "*" } else { "" };
            if phrase.terms.len() > 1 { format!("({terms}{star})") } else { format!("{terms}{star}") }
        };
        Query::new(query).phrases.iter().map(phrase).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_query_is_phrases_and_its_last_word_may_go_on() {
        for (query, expected) in [
            ("", ""),
            ("\"*-^:", ""),
            ("hello", "hello*"),
            ("Hello Wor", "hello wor*"),
            ("go", "go"),
            ("北京", "北京"),
            ("京", "京*"),
            ("北京大学", "(北京 京大 大学)"),
            ("北京 上海", "北京 上海"),
            ("北京，上海", "北京 上海"),
            ("京 上海", "京* 上海"),
            ("我用Rust写", "(我用 用 rust 写*)"),
            ("北京2008", "(北京 京 2008*)"),
            ("foo_bar baz", "(foo bar) baz*"),
            ("user@host.org", "(user host org*)"),
            ("\"NEAR(x y)\" OR -z*", "(near x) y or z"),
            ("terms:rust", "(terms rust*)"),
        ] {
            assert_eq!(shown(query), expected, "{query}");
        }
    }

    fn snippet(query: &str, text: &str) -> String {
        let piece = |piece: Piece| if piece.hit { format!("[{}]", piece.text) } else { piece.text };
        Query::new(query).snippet(text).into_iter().map(piece).collect()
    }

    #[test]
    fn a_snippet_marks_what_was_looked_for() {
        for (query, text, expected) in [
            ("rust", "I like Rust and rusty nails", "I like [Rust] and [rusty] nails"),
            ("rust nail", "I like Rust and rusty nails", "I like [Rust] and rusty [nails]"),
            ("北京", "我爱北京，北京！", "我爱[北京]，[北京]！"),
            ("京", "北京，京都", "北[京]，[京]都"),
            ("北京大学", "在北京，北京大学", "在北京，[北京大学]"),
            ("北京2008", "去北京 2008年", "去[北京 2008]年"),
            ("aba", "ABA", "[ABA]"),
            ("人人人", "人人人人", "[人人人人]"),
            ("foo_bar", "foo bar foo.bar foobar", "[foo bar] [foo.bar] foobar"),
            ("<b>", "a <b> & c", "a <[b]> & c"),
            ("x y w_x_y_z", "w x y z", "[w x y z]"),
            ("b c", "a <b> & c", "a <[b]> & [c]"),
            ("missing", "nothing of it", "nothing of it"),
            ("x", "", ""),
        ] {
            assert_eq!(snippet(query, text), expected, "{query} in {text}");
        }
    }

    #[test]
    fn a_snippet_is_cut_around_the_first_hit_between_characters() {
        let text = format!("{}北京{}", "好".repeat(500), "的".repeat(500));
        let expected = format!("…{}[北京]{}…", "好".repeat(30), "的".repeat(88));
        assert_eq!(snippet("北京", &text), expected);

        let text = format!("{} needle", "hay ".repeat(100));
        let shown = snippet("needle", &text);
        assert!(shown.starts_with('…') && shown.ends_with(" [needle]"), "{shown}");
    }

    #[test]
    fn a_hit_longer_than_what_is_shown_is_cut_with_it() {
        let word = "字".repeat(199);
        assert_eq!(snippet(&word, &word), format!("[{}]…", "字".repeat(120)));
    }

    #[test]
    fn only_the_beginning_of_a_long_text_is_searched() {
        let text = format!("{}北京", "啊".repeat(SEARCHED_BYTES_MAX));
        assert_eq!(searched(&text).len(), SEARCHED_BYTES_MAX - 1);
        assert!(!snippet("北京", &text).contains('['));
    }

    #[test]
    fn what_is_new_counts_up_to_twice() {
        let now = Time::from_ms(1_800_000_000_000);
        let month = RECENCY_HALVES_MS as i64;
        assert_eq!(worth(2.0, now, now), 4.0);
        assert_eq!(worth(2.0, now.plus_ms(-month), now), 3.0);
        assert!(worth(2.0, Time::EPOCH, now) < 2.1);
    }
}
