//! Which tool call a piece belongs to: vendors leave out indexes, repeat ids, or send none.

use session::event::Delta;

use super::chunk::CallPiece;
use crate::json;

/// The calls of one answer, in the order of their first pieces, which is their index outside.
#[derive(Default)]
pub struct Calls(Vec<Call>);

struct Call {
    index: Option<u32>,
    id: String,
    named: bool,
}

impl Calls {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `answer` is the upstream's id of the answer: a call without one is named after it.
    pub fn piece(&mut self, piece: &CallPiece, answer: &str) -> Option<Delta> {
        let function = piece.function.as_ref();
        let name = function.map_or("", |function| &function.name.0);
        let arguments = json::clean(function.map(|function| function.arguments().into_owned()).unwrap_or_default());
        let (at, new) = match self.find(piece.index.0, &piece.id.0, name) {
            Some(at) => (at, false),
            None => {
                self.0.push(Call { index: piece.index.0, id: self.id(&piece.id.0, answer), named: false });
                (self.0.len() - 1, true)
            }
        };
        let call = &mut self.0[at];
        let name = (!call.named && !name.is_empty()).then(|| json::clean(name.to_owned()));
        call.named |= name.is_some();
        let id = new.then(|| call.id.clone());
        if id.is_none() && name.is_none() && arguments.is_empty() {
            return None;
        }
        Some(Delta::ToolCall { index: at as u32, id, name, arguments })
    }

    fn find(&self, index: Option<u32>, id: &str, name: &str) -> Option<usize> {
        let known = |id: &str| self.0.iter().rposition(|call| call.id == id);
        match index {
            Some(index) => {
                let at = self.0.iter().rposition(|call| call.index == Some(index))?;
                // Some send every call under index 0. An id alone is not enough: older vLLM makes a new one per piece.
                let other = !id.is_empty() && !name.is_empty() && self.0[at].id != id && self.0[at].named;
                if other { known(id) } else { Some(at) }
            }
            None if !id.is_empty() => known(id),
            None if !name.is_empty() => None,
            None => self.0.len().checked_sub(1),
        }
    }

    fn id(&self, id: &str, answer: &str) -> String {
        if !id.is_empty() {
            return json::clean(id.to_owned());
        }
        let answer: String = answer.chars().filter(char::is_ascii_alphanumeric).take(40).collect();
        format!("call_{answer}_{}", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each call as `id name(arguments)`.
    fn calls(pieces: &[&str]) -> Vec<String> {
        let mut calls = Calls::default();
        let mut shown: Vec<(String, String, String)> = Vec::new();
        for piece in pieces {
            let piece: CallPiece = serde_json::from_str(piece).unwrap();
            let Some(Delta::ToolCall { index, id, name, arguments }) = calls.piece(&piece, "chatcmpl-9") else {
                continue;
            };
            if let Some(id) = id {
                assert_eq!(index as usize, shown.len());
                shown.push((id, String::new(), String::new()));
            }
            let call = &mut shown[index as usize];
            call.1 += &name.unwrap_or_default();
            call.2 += &arguments;
        }
        shown.into_iter().map(|(id, name, arguments)| format!("{id} {name}({arguments})")).collect()
    }

    #[test]
    fn pieces_find_their_call_by_index() {
        assert_eq!(
            calls(&[
                r#"{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}"#,
                r#"{"index":0,"function":{"arguments":"{\"x\\"}}"#,
                r#"{"index":1,"id":"b","function":{"name":"g","arguments":"{}"}}"#,
                r#"{"index":0,"id":"","function":{"name":null,"arguments":"n\"}"}}"#,
            ]),
            [r#"a f({"x\n"})"#, "b g({})"]
        );
    }

    #[test]
    fn without_an_index_the_id_tells_and_without_both_the_last_goes_on() {
        assert_eq!(
            calls(&[
                r#"{"id":"a","function":{"name":"f","arguments":"1"}}"#,
                r#"{"id":"b","function":{"name":"g","arguments":"2"}}"#,
                r#"{"id":"a","function":{"name":"f","arguments":"3"}}"#,
                r#"{"function":{"arguments":"4"}}"#,
                r#"{"function":{"name":"h","arguments":"5"}}"#,
            ]),
            ["a f(13)", "b g(24)", "call_chatcmpl9_2 h(5)"]
        );
    }

    #[test]
    fn one_index_for_all_is_seen_through() {
        assert_eq!(
            calls(&[
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}"#,
                r#"{"index":0,"id":"b","function":{"name":"f","arguments":"{"}}"#,
                r#"{"index":0,"id":"","function":{"arguments":"}"}}"#,
            ]),
            ["a f({})", "b f({})"]
        );
    }

    #[test]
    fn a_new_id_for_every_piece_is_seen_through() {
        assert_eq!(
            calls(&[
                r#"{"index":0,"id":"a","function":{"name":"f"}}"#,
                r#"{"index":0,"id":"b","function":{"arguments":"{"}}"#,
                r#"{"index":0,"id":"c","function":{"arguments":"}"}}"#,
            ]),
            ["a f({})"]
        );
    }

    #[test]
    fn arguments_may_be_an_object() {
        assert_eq!(
            calls(&[r#"{"function":{"name":"f","arguments":{"x": [1]}}}"#]),
            [r#"call_chatcmpl9_0 f({"x": [1]})"#]
        );
        assert_eq!(
            calls(&[r#"{"id":"a","function":{"name":"f","arguments":null}}"#, r#"{"id":"a"}"#, "{}"]),
            ["a f()"]
        );
    }
}
