//! Errors in the words of many vendors: what they look like, and what they mean.

use serde_json::Value;
use session::turn::FailureCode::{self, *};

use crate::{format::Refusal, json, presets::Quirks};

/// Reads `body` as an error, if it is one.
pub fn read(quirks: &Quirks, body: &[u8]) -> Option<Refusal> {
    let value: Value = serde_json::from_slice(body).ok().or_else(|| serde_json::from_str(&json::mend(body)?).ok())?;
    from_value(quirks, &value)
}

pub fn from_value(quirks: &Quirks, value: &Value) -> Option<Refusal> {
    // Gemini's compatible surface wraps its error in a list.
    let value = value.as_array().and_then(|list| list.first()).unwrap_or(value);
    let error = match &value["error"] {
        Value::Null => bare(value)?,
        Value::String(message) if value["message"].is_null() => return Some(classed(quirks, &[], message.clone())),
        // Spring and others: the kind in `error`, the words beside it.
        Value::String(_) => value,
        error => error,
    };
    let message = ["message", "detail", "msg"].iter().find_map(|name| words(&error[*name])).unwrap_or_default();
    let codes: Vec<String> = ["code", "type", "error_code"].iter().filter_map(|name| words(&error[*name])).collect();
    Some(classed(quirks, &codes, message))
}

/// An error without envelope: older vLLM and Mistral (`"object": "error"`), FastAPI (`detail`), DashScope (`code` and
/// `message`).
fn bare(value: &Value) -> Option<&Value> {
    let error = value["object"].as_str().is_some_and(|object| object.eq_ignore_ascii_case("error"));
    let has = |name: &str| !value[name].is_null();
    let is_error = error || has("detail") || (has("message") && (has("code") || has("type"))) || has("error_code");
    (is_error && value["choices"].is_null()).then_some(value)
}

fn words(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        other => Some(other.to_string()),
    }
}

fn classed(quirks: &Quirks, codes: &[String], message: String) -> Refusal {
    let status = codes.iter().find_map(|code| code.parse().ok().filter(|status| (400..600).contains(status)));
    let own = codes.iter().find_map(|code| quirks.codes.iter().find(|(own, _)| own == code)).map(|(_, is)| *is);
    let known = || codes.iter().find_map(|code| known_code(code));
    let code = own.or_else(known).or_else(|| known_words(&message));
    Refusal { code, status, message, in_format: true }
}

fn known_code(code: &str) -> Option<FailureCode> {
    Some(match code {
        "context_length_exceeded" | "exceed_context_size_error" | "string_above_max_length" | "tokens_too_long" => {
            ContextTooLong
        }
        "content_filter"
        | "content_policy_violation"
        | "data_inspection_failed"
        | "DataInspectionFailed"
        | "ResponsibleAIPolicyViolation"
        | "sensitive_words_detected" => ContentFilter,
        "insufficient_quota"
        | "insufficient_user_quota"
        | "insufficient_balance"
        | "exceeded_current_quota_error"
        | "billing_hard_limit_reached"
        | "billing_not_active"
        | "account_deactivated"
        | "Arrearage" => UpstreamRejected,
        "invalid_api_key" | "InvalidApiKey" | "invalid_authentication_error" | "incorrect_api_key_error" => {
            UpstreamKeyRejected
        }
        "model_not_found" | "ModelNotFound" | "resource_not_found_error" => UpstreamModelNotFound,
        "rate_limit_exceeded"
        | "rate_limit_error"
        | "rate_limit_reached_error"
        | "engine_overloaded_error"
        | "too_many_requests" => UpstreamRateLimited,
        _ => return None,
    })
}

/// For what has no code of its own. Wordings of OpenAI and vLLM, llama.cpp, xAI, Groq, Moonshot, SiliconFlow, Mistral,
/// Qwen, Gemini, Anthropic, Zhipu.
const TOO_LONG: &[&str] = &[
    "maximum context length",
    "context size",
    "context window",
    "maximum prompt length",
    "maximum model length",
    "prompt is too long",
    "prompt exceeds max length",
    "prompt 超长",
    "reduce the length of the messages",
    "exceeded model token limit",
    "max_seq_len",
    "too large for model with",
    "range of input length should be",
    "input token count",
    "input is too long",
];

const NO_BALANCE: &[&str] = &["insufficient balance", "in arrears", "余额不足", "欠费"];

fn known_words(message: &str) -> Option<FailureCode> {
    let message = message.to_lowercase();
    let says = |wordings: &[&str]| wordings.iter().any(|wording| message.contains(wording));
    if says(TOO_LONG) {
        return Some(ContextTooLong);
    }
    if says(NO_BALANCE) {
        return Some(UpstreamRejected);
    }
    let missing = ["not found", "does not exist", "not exist", "unknown model", "no such model", "invalid model"];
    (message.contains("model") && says(&missing)).then_some(UpstreamModelNotFound)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presets::preset;

    fn code(provider: &str, body: &str) -> Option<Option<FailureCode>> {
        let quirks = preset(provider).unwrap();
        read(&quirks.quirks, body.as_bytes()).map(|refusal| refusal.code)
    }

    #[test]
    fn errors_are_told_apart() {
        for (provider, body, expected) in [
            (
                "openai",
                r#"{"error":{"message":"This model's maximum context length is 8192 tokens.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#,
                Some(ContextTooLong),
            ),
            (
                "openai",
                r#"{"error":{"message":"You exceeded your current quota, please check your plan and billing details.","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#,
                Some(UpstreamRejected),
            ),
            (
                "openai",
                r#"{"error":{"message":"Rate limit reached for gpt","type":"tokens","param":null,"code":"rate_limit_exceeded"}}"#,
                Some(UpstreamRateLimited),
            ),
            (
                "openai",
                r#"{"error":{"message":"The model `gpt-9` does not exist or you do not have access to it.","type":"invalid_request_error","param":null,"code":"model_not_found"}}"#,
                Some(UpstreamModelNotFound),
            ),
            (
                "openai",
                r#"{"error":{"message":"Unsupported parameter: 'max_tokens'","type":"invalid_request_error","param":"max_tokens","code":"unsupported_parameter"}}"#,
                None,
            ),
            (
                "deepseek",
                r#"{"error":{"message":"Insufficient Balance","type":"unknown_error","param":null,"code":"invalid_request_error"}}"#,
                Some(UpstreamRejected),
            ),
            (
                "deepseek",
                r#"{"error":{"message":"Model Not Exist","type":"invalid_request_error","param":null,"code":"invalid_request_error"}}"#,
                Some(UpstreamModelNotFound),
            ),
            ("zhipu", r#"{"error":{"code":"1113","message":"您的账户已欠费，请充值后重试"}}"#, Some(UpstreamRejected)),
            (
                "zhipu",
                r#"{"error":{"code":"1302","message":"您当前使用该 API 的并发数过高"}}"#,
                Some(UpstreamRateLimited),
            ),
            ("zhipu", r#"{"error":{"code":"1261","message":"Prompt 超长"}}"#, Some(ContextTooLong)),
            (
                "zhipu",
                r#"{"contentFilter":[{"level":1,"role":"user"}],"error":{"code":"1301","message":"系统检测到输入或生成内容可能包含不安全或敏感内容"}}"#,
                Some(ContentFilter),
            ),
            // Another vendor's 1302 is not Zhipu's.
            ("qwen", r#"{"error":{"code":"1302","message":"?"}}"#, None),
            (
                "moonshot",
                r#"{"error":{"message":"Invalid request: Your request exceeded model token limit: 8192","type":"invalid_request_error"}}"#,
                Some(ContextTooLong),
            ),
            (
                "moonshot",
                r#"{"error":{"message":"Your account is suspended, please check your plan and billing details","type":"exceeded_current_quota_error"}}"#,
                Some(UpstreamRejected),
            ),
            (
                "moonshot",
                r#"{"error":{"message":"The engine is currently overloaded, please try again later","type":"engine_overloaded_error"}}"#,
                Some(UpstreamRateLimited),
            ),
            (
                "qwen",
                r#"{"error":{"code":"data_inspection_failed","param":null,"message":"Input data may contain inappropriate content.","type":"data_inspection_failed"},"id":"x"}"#,
                Some(ContentFilter),
            ),
            ("qwen", r#"{"code":"Arrearage","message":"Access denied","request_id":"x"}"#, Some(UpstreamRejected)),
            (
                "vllm",
                r#"{"object":"error","message":"This model's maximum context length is 4096 tokens. However, you requested 5000 tokens","type":"BadRequestError","param":null,"code":400}"#,
                Some(ContextTooLong),
            ),
            ("vllm", r#"{"detail":"Not Found"}"#, None),
            (
                "llamacpp",
                r#"{"error":{"code":400,"message":"request (4390 tokens) exceeds the available context size (4096 tokens), try increasing it","type":"exceed_context_size_error","n_prompt_tokens":4390,"n_ctx":4096}}"#,
                Some(ContextTooLong),
            ),
            (
                "ollama",
                r#"{"error":{"message":"model \"x\" not found, try pulling it first","type":"api_error","param":null,"code":null}}"#,
                Some(UpstreamModelNotFound),
            ),
            ("ollama", r#"{"error":"model 'x' not found"}"#, Some(UpstreamModelNotFound)),
            (
                "mistral",
                r#"{"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","x"],"msg":"Extra inputs are not permitted"}]},"type":"invalid_request_error","param":null,"code":null}"#,
                None,
            ),
            (
                "siliconflow",
                r#"{"code":20015,"message":"length of prompt_tokens (9) must be less than max_seq_len (8).","data":null}"#,
                Some(ContextTooLong),
            ),
            ("openai", r#"[{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT"}}]"#, None),
        ] {
            assert_eq!(code(provider, body), Some(expected), "{body}");
        }
    }

    #[test]
    fn an_answer_is_not_an_error() {
        for body in [
            r#"{"choices":[],"usage":null}"#,
            r#"{"id":"x","object":"chat.completion.chunk"}"#,
            r#"{"type":"ping"}"#,
            r#"{"choices":[],"message":"x","code":0}"#,
            "[]",
            "1",
            "<html>",
        ] {
            assert_eq!(code("openai", body), None, "{body}");
        }
    }

    #[test]
    fn a_status_may_stand_in_the_body() {
        let refusal = read(
            &preset("openrouter").unwrap().quirks,
            br#"{"error":{"code":502,"message":"Provider returned error"}}"#,
        );
        let refusal = refusal.unwrap();
        assert_eq!((refusal.status, refusal.message.as_str()), (Some(502), "Provider returned error"));
    }
}
