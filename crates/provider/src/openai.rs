//! Chat completions, the format that most upstreams speak.
//! <https://platform.openai.com/docs/api-reference/chat>

mod body;
mod calls;
mod chunk;
mod decode;
mod lenient;
mod refusal;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, header::AUTHORIZATION};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use session::history::Prompt;

use crate::{
    format::{Decoder, Format, Refusal},
    presets::Quirks,
};

#[derive(Debug)]
pub(crate) struct ChatCompletions;

impl Format for ChatCompletions {
    fn call_path(&self, _model: &str) -> String {
        "/chat/completions".to_owned()
    }

    fn models_path(&self) -> &'static str {
        "/models"
    }

    fn key_header(&self, key: &SecretString) -> Option<(HeaderName, HeaderValue)> {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", key.expose_secret())).ok()?;
        value.set_sensitive(true);
        Some((AUTHORIZATION, value))
    }

    fn body(&self, quirks: &Quirks, prompt: &Prompt) -> Bytes {
        body::write(quirks, prompt)
    }

    fn decoder(&self, quirks: &'static Quirks) -> Box<dyn Decoder> {
        Box::new(decode::Chat::new(quirks))
    }

    fn refusal(&self, quirks: &Quirks, body: &[u8]) -> Refusal {
        refusal::read(quirks, body).unwrap_or_default()
    }

    fn models(&self, body: &[u8]) -> Option<Vec<String>> {
        #[derive(Deserialize)]
        struct Model {
            id: String,
        }
        /// Together gives the bare list.
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum List {
            Enveloped { data: Vec<Model> },
            Bare(Vec<Model>),
        }
        let (List::Enveloped { data: models } | List::Bare(models)) = serde_json::from_slice(body).ok()?;
        Some(models.into_iter().map(|model| model.id).collect())
    }
}
