//! Well-known upstreams: where they are, which variable holds their key, and where they differ from their format.

use session::turn::FailureCode::{self, *};

use crate::{format::Format, openai::ChatCompletions};

/// A row of the table.
#[derive(Debug)]
pub struct Preset {
    /// What a config says as its `provider`.
    pub name: &'static str,
    /// As its vendor writes it.
    pub title: &'static str,
    pub base_url: &'static str,
    /// Environment variables that hold its key by custom, the usual one first; none where no key is needed.
    pub key_env: &'static [&'static str],
    /// A model to begin with, where one name lasts.
    pub model: Option<&'static str>,
    /// Where one gets a key.
    pub keys_url: Option<&'static str>,
    pub(crate) format: &'static dyn Format,
    pub(crate) quirks: Quirks,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Quirks {
    /// Asks for token counts at the end of the stream; Mistral refuses the field, Zhipu counts without being asked.
    pub include_usage: bool,
    /// The name of the limit on an answer's tokens.
    pub max_tokens: &'static str,
    /// Sends reasoning back with the messages of a turn that called tools; the text stands in where there was none.
    pub reasoning_back: Option<&'static str>,
    /// The vendor's own error codes.
    pub codes: &'static [(&'static str, FailureCode)],
}

pub(crate) static PLAIN: Quirks = ANY;

const ANY: Quirks = Quirks { include_usage: true, max_tokens: "max_tokens", reasoning_back: None, codes: &[] };

/// OpenAI's newer models refuse `max_tokens`, its older ones take either.
/// <https://platform.openai.com/docs/api-reference/chat/create>
const OPENAI: Quirks = Quirks { max_tokens: "max_completion_tokens", ..ANY };

/// In thinking mode a message with tool calls is refused when it has no `reasoning_content`, be it empty; without tool
/// calls it is ignored. <https://api-docs.deepseek.com/guides/thinking_mode>
const DEEPSEEK: Quirks = Quirks { reasoning_back: Some(""), ..ANY };

/// As DeepSeek, but an empty text counts as missing (<https://github.com/theopenco/llmgateway/pull/2093>).
const MOONSHOT: Quirks = Quirks { reasoning_back: Some(" "), ..ANY };

/// <https://docs.bigmodel.cn/cn/guide/capabilities/thinking-mode>, <https://docs.bigmodel.cn/cn/api/api-code>
const ZHIPU: Quirks =
    Quirks { include_usage: false, reasoning_back: Some(""), codes: ZHIPU_CODES, max_tokens: "max_tokens" };

/// Refuses every field it does not know, `stream_options` among them; it counts without being asked.
const MISTRAL: Quirks = Quirks { include_usage: false, ..ANY };

/// Most of these come with 429, whatever they mean.
const ZHIPU_CODES: &[(&str, FailureCode)] = &[
    ("1000", UpstreamKeyRejected),
    ("1001", UpstreamKeyRejected),
    ("1002", UpstreamKeyRejected),
    ("1003", UpstreamKeyRejected),
    ("1004", UpstreamKeyRejected),
    ("1110", UpstreamRejected),
    ("1111", UpstreamRejected),
    ("1112", UpstreamRejected),
    ("1113", UpstreamRejected),
    ("1121", UpstreamRejected),
    ("1211", UpstreamModelNotFound),
    ("1220", UpstreamRejected),
    ("1221", UpstreamRejected),
    ("1222", UpstreamRejected),
    ("1230", UpstreamError),
    ("1234", UpstreamError),
    ("1261", ContextTooLong),
    ("1300", ContentFilter),
    ("1301", ContentFilter),
    ("1302", UpstreamRateLimited),
    ("1303", UpstreamRateLimited),
    ("1304", UpstreamRejected),
    ("1305", UpstreamRateLimited),
    ("1308", UpstreamRejected),
    ("1309", UpstreamRejected),
    ("1310", UpstreamRejected),
    ("1311", UpstreamRejected),
    ("1312", UpstreamRateLimited),
    ("1313", UpstreamRejected),
];

const fn hosted(
    name: &'static str,
    title: &'static str,
    base_url: &'static str,
    key_env: &'static [&'static str],
    keys_url: &'static str,
    model: Option<&'static str>,
    quirks: Quirks,
) -> Preset {
    Preset { name, title, base_url, key_env, model, keys_url: Some(keys_url), format: &ChatCompletions, quirks }
}

const fn local(name: &'static str, title: &'static str, base_url: &'static str) -> Preset {
    Preset { name, title, base_url, key_env: &[], model: None, keys_url: None, format: &ChatCompletions, quirks: ANY }
}

/// `openai` is also the name of the format: with a base URL of one's own it means any server that speaks it.
static PRESETS: &[Preset] = &[
    hosted(
        "openai",
        "OpenAI",
        "https://api.openai.com/v1",
        &["OPENAI_API_KEY"],
        "https://platform.openai.com/api-keys",
        Some("gpt-5.4-mini"),
        OPENAI,
    ),
    hosted(
        "deepseek",
        "DeepSeek",
        "https://api.deepseek.com",
        &["DEEPSEEK_API_KEY"],
        "https://platform.deepseek.com/api_keys",
        Some("deepseek-flash"),
        DEEPSEEK,
    ),
    hosted(
        "zhipu",
        "Zhipu (智谱)",
        "https://open.bigmodel.cn/api/paas/v4",
        &["ZHIPUAI_API_KEY", "ZHIPU_API_KEY"],
        "https://open.bigmodel.cn/usercenter/apikeys",
        Some("glm-5.2"),
        ZHIPU,
    ),
    hosted(
        "zai",
        "Z.ai",
        "https://api.z.ai/api/paas/v4",
        &["ZAI_API_KEY"],
        "https://z.ai/manage-apikey/apikey-list",
        Some("glm-5.2"),
        ZHIPU,
    ),
    hosted(
        "moonshot",
        "Moonshot (Kimi)",
        "https://api.moonshot.cn/v1",
        &["MOONSHOT_API_KEY"],
        "https://platform.moonshot.cn/console/api-keys",
        Some("kimi-k2.6"),
        MOONSHOT,
    ),
    hosted(
        "qwen",
        "Qwen (通义千问)",
        "https://dashscope.aliyuncs.com/compatible-mode/v1",
        &["DASHSCOPE_API_KEY"],
        "https://bailian.console.aliyun.com/?tab=model#/api-key",
        Some("qwen-plus"),
        ANY,
    ),
    hosted(
        "siliconflow",
        "SiliconFlow",
        "https://api.siliconflow.cn/v1",
        &["SILICONFLOW_API_KEY"],
        "https://cloud.siliconflow.cn/account/ak",
        None,
        ANY,
    ),
    hosted(
        "openrouter",
        "OpenRouter",
        "https://openrouter.ai/api/v1",
        &["OPENROUTER_API_KEY"],
        "https://openrouter.ai/settings/keys",
        Some("openrouter/auto"),
        ANY,
    ),
    hosted(
        "groq",
        "Groq",
        "https://api.groq.com/openai/v1",
        &["GROQ_API_KEY"],
        "https://console.groq.com/keys",
        None,
        ANY,
    ),
    hosted(
        "mistral",
        "Mistral",
        "https://api.mistral.ai/v1",
        &["MISTRAL_API_KEY"],
        "https://console.mistral.ai/api-keys",
        Some("mistral-small-latest"),
        MISTRAL,
    ),
    hosted(
        "together",
        "Together",
        "https://api.together.xyz/v1",
        &["TOGETHER_API_KEY"],
        "https://api.together.ai/settings/api-keys",
        None,
        ANY,
    ),
    hosted("xai", "xAI", "https://api.x.ai/v1", &["XAI_API_KEY"], "https://console.x.ai", None, ANY),
    local("ollama", "Ollama", "http://127.0.0.1:11434/v1"),
    local("vllm", "vLLM", "http://127.0.0.1:8000/v1"),
    local("llamacpp", "llama.cpp", "http://127.0.0.1:8080/v1"),
    local("lmstudio", "LM Studio", "http://127.0.0.1:1234/v1"),
];

pub fn presets() -> &'static [Preset] {
    PRESETS
}

pub fn preset(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}

/// Where calls go that are configured so: to the base URL that was given, else to the preset's own. `None` for a provider
/// without an upstream.
pub fn base_url<'a>(provider: &str, given: Option<&'a str>) -> Option<&'a str> {
    given.or_else(|| preset(provider).map(|preset| preset.base_url))
}

impl Preset {
    /// What is particular about an upstream at `origin`. Another server under the name `openai` is not OpenAI's, and
    /// most of those know only `max_tokens`.
    pub(crate) fn quirks_at(&'static self, origin: &str) -> &'static Quirks {
        if self.name == "openai" && !self.is_at(origin) { &PLAIN } else { &self.quirks }
    }

    /// Whether this is the vendor's own server.
    pub fn is_at(&self, origin: &str) -> bool {
        self.base_url.strip_prefix(origin).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sound() {
        for preset in presets() {
            let origin = crate::url::origin(preset.base_url).unwrap();
            assert!(preset.is_at(&origin), "{}", preset.name);
            assert!(!preset.is_at(&origin[..origin.len() - 1]), "{}: another server", preset.name);
            assert!(!preset.is_at("https://example.com"), "{}", preset.name);
            assert!(!preset.base_url.ends_with('/'), "{}", preset.name);
            let same = presets().iter().filter(|other| other.name == preset.name).count();
            assert_eq!(same, 1, "{}", preset.name);
            let local = preset.base_url.starts_with("http://127.0.0.1:");
            assert_eq!(preset.key_env.is_empty(), local, "{}: a key goes over TLS", preset.name);
            let found = preset.keys_url.is_some_and(|url| url.starts_with("https://"));
            assert_eq!(found, !local, "{}: who needs a key is told where to get one", preset.name);
        }
    }

    #[test]
    fn openai_elsewhere_is_any_server_of_its_format() {
        let openai = preset("openai").unwrap();
        assert_eq!(openai.quirks_at("https://api.openai.com").max_tokens, "max_completion_tokens");
        assert_eq!(openai.quirks_at("http://127.0.0.1:9").max_tokens, "max_tokens");
        assert_eq!(preset("deepseek").unwrap().quirks_at("http://proxy").reasoning_back, Some(""));
    }
}
