//! The wire types of chat completions, as they come: chunks of a stream and whole answers alike.
//! <https://platform.openai.com/docs/api-reference/chat-streaming>

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use session::turn;

use super::lenient::{Content, Num, Str};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Chunk<'a> {
    #[serde(borrow)]
    pub id: Str<'a>,
    #[serde(borrow)]
    pub model: Str<'a>,
    #[serde(borrow)]
    pub choices: Option<Vec<Choice<'a>>>,
    #[serde(borrow)]
    pub usage: Option<&'a RawValue>,
    #[serde(borrow)]
    pub error: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Choice<'a> {
    pub index: Num,
    #[serde(borrow)]
    pub delta: Option<Piece<'a>>,
    /// In place of `delta`: a whole answer. Some send it beside the last delta, with all that was said before.
    #[serde(borrow)]
    pub message: Option<Piece<'a>>,
    #[serde(borrow)]
    pub finish_reason: Str<'a>,
    /// Moonshot counts here.
    #[serde(borrow)]
    pub usage: Option<&'a RawValue>,
    /// OpenRouter reports here what went wrong behind it.
    #[serde(borrow)]
    pub error: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Piece<'a> {
    #[serde(borrow)]
    pub content: Content<'a>,
    /// DeepSeek, Zhipu, Moonshot, Qwen, llama.cpp, SGLang.
    #[serde(borrow)]
    pub reasoning_content: Content<'a>,
    /// OpenRouter, Ollama, Groq, Together and newer vLLM; some send both.
    #[serde(borrow)]
    pub reasoning: Content<'a>,
    #[serde(borrow)]
    pub refusal: Str<'a>,
    #[serde(borrow)]
    pub tool_calls: Option<Vec<CallPiece<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct CallPiece<'a> {
    pub index: Num,
    #[serde(borrow)]
    pub id: Str<'a>,
    #[serde(borrow)]
    pub function: Option<FunctionPiece<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct FunctionPiece<'a> {
    #[serde(borrow)]
    pub name: Str<'a>,
    /// A string; from some upstreams the object itself.
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
}

impl<'a> FunctionPiece<'a> {
    pub fn arguments(&self) -> Cow<'a, str> {
        let Some(raw) = self.arguments else { return Cow::Borrowed("") };
        if !raw.get().starts_with('"') {
            return Cow::Borrowed(raw.get());
        }
        serde_json::from_str::<Str>(raw.get()).unwrap_or_default().0
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Usage {
    prompt_tokens: Num,
    completion_tokens: Num,
    prompt_tokens_details: Option<PromptDetails>,
    /// DeepSeek.
    prompt_cache_hit_tokens: Num,
    /// Moonshot.
    cached_tokens: Num,
    completion_tokens_details: Option<CompletionDetails>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PromptDetails {
    cached_tokens: Num,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CompletionDetails {
    reasoning_tokens: Num,
}

/// The counts, where there are any.
pub fn usage(raw: &RawValue) -> Option<turn::Usage> {
    let usage: Usage = serde_json::from_str(raw.get()).ok()?;
    if usage.prompt_tokens.0.is_none() && usage.completion_tokens.0.is_none() {
        return None;
    }
    let count = |n: Num| u64::from(n.0.unwrap_or(0));
    let detailed = usage.prompt_tokens_details.unwrap_or_default().cached_tokens;
    let cached = detailed.0.or(usage.prompt_cache_hit_tokens.0).or(usage.cached_tokens.0);
    let reasoning = usage.completion_tokens_details.unwrap_or_default().reasoning_tokens;
    Some(turn::Usage {
        prompt_tokens: count(usage.prompt_tokens),
        completion_tokens: count(usage.completion_tokens),
        cached_tokens: count(Num(cached)).min(count(usage.prompt_tokens)),
        reasoning_tokens: count(reasoning),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(json: &str) -> Option<(u64, u64, u64, u64)> {
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        usage(raw).map(|u| (u.prompt_tokens, u.completion_tokens, u.cached_tokens, u.reasoning_tokens))
    }

    #[test]
    fn usage_is_read_from_every_known_place() {
        let openai = r#"{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":4},
            "completion_tokens_details":{"reasoning_tokens":3}}"#;
        assert_eq!(counted(openai), Some((10, 5, 4, 3)));
        let deepseek =
            r#"{"prompt_tokens":10,"completion_tokens":5,"prompt_cache_hit_tokens":8,"prompt_tokens_details":null}"#;
        assert_eq!(counted(deepseek), Some((10, 5, 8, 0)));
        assert_eq!(counted(r#"{"prompt_tokens":10,"completion_tokens":5,"cached_tokens":2}"#), Some((10, 5, 2, 0)));
    }

    #[test]
    fn usage_of_any_shape_is_survived() {
        assert_eq!(counted("\"none\""), None);
        assert_eq!(counted("{}"), None);
        assert_eq!(counted("[]"), None);
        assert_eq!(counted(r#"{"prompt_tokens":null,"completion_tokens":null}"#), None);
        let max = u64::from(u32::MAX);
        let absurd = r#"{"prompt_tokens":-1,"completion_tokens":9223372036854775808,"prompt_tokens_details":{"cached_tokens":1.5}}"#;
        assert_eq!(counted(absurd), Some((0, max, 0, 0)));
    }
}
