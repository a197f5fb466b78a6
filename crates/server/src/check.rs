//! What a request's fields may hold, beyond their types.

use serde_json::{Map, Value};
use session::{
    message::{Content, Part},
    turn::Options,
};

use crate::{app::Bounds, error::ApiError};

fn invalid(param: impl Into<String>, message: impl Into<String>) -> ApiError {
    ApiError::bad_request("invalid_value", message.into()).param(param)
}

/// A message that says something and is not too large.
pub fn content(content: &Content, param: &str, bounds: &Bounds) -> Result<(), ApiError> {
    if content.is_empty() {
        return Err(ApiError::bad_request("message_empty", format!("`{param}` is empty.")).param(param));
    }
    size(content, param, bounds)
}

pub fn size(content: &Content, param: &str, bounds: &Bounds) -> Result<(), ApiError> {
    let bytes: usize = match content {
        Content::Text(text) => text.len(),
        Content::Parts(parts) => parts
            .iter()
            .map(|part| match part {
                Part::Text { text } => text.len(),
                Part::ImageUrl { image_url } => image_url.url.len(),
            })
            .sum(),
    };
    if bytes > bounds.message_bytes_max {
        let max = bounds.message_bytes_max;
        let message = format!("`{param}` has {bytes} bytes, more than message_bytes_max = {max}.");
        return Err(ApiError::payload_too_large("message_too_large", message).param(param));
    }
    if let Content::Parts(parts) = content {
        for (at, part) in parts.iter().enumerate() {
            if let Part::ImageUrl { image_url } = part
                && !["https://", "http://", "data:image/"].iter().any(|start| image_url.url.starts_with(start))
            {
                let message = "An image's url begins with https://, http:// or data:image/.";
                return Err(invalid(format!("{param}[{at}].image_url.url"), message));
            }
        }
    }
    Ok(())
}

pub fn metadata(metadata: &Value, bounds: &Bounds) -> Result<(), ApiError> {
    let max = bounds.metadata_bytes_max;
    if !metadata.is_object() {
        return Err(invalid("metadata", "`metadata` is an object."));
    }
    if metadata.to_string().len() > max {
        return Err(invalid(
            "metadata",
            format!("`metadata` is larger than metadata_bytes_max = {max} bytes as JSON."),
        ));
    }
    Ok(())
}

pub fn options(options: &Options) -> Result<(), ApiError> {
    let range = |param: &str, value: Option<f64>, low: f64, high: f64| match value {
        Some(value) if !(low..=high).contains(&value) => {
            Err(invalid(param, format!("`{param}` lies between {low} and {high}.")))
        }
        _ => Ok(()),
    };
    range("temperature", options.temperature, 0.0, 2.0)?;
    range("top_p", options.top_p, 0.0, 1.0)?;
    if options.max_tokens == Some(0) {
        return Err(invalid("max_tokens", "`max_tokens` is at least 1."));
    }
    if options.model.as_ref().is_some_and(String::is_empty) {
        return Err(invalid("model", "`model` is empty. Leave it out to use the config's."));
    }
    if options.tools.as_ref().is_some_and(|tools| !tools.is_array()) {
        return Err(invalid("tools", "`tools` is a list."));
    }
    ours(&options.extra, "extra")
}

/// Fields of the upstream request that Turnwise writes itself.
pub fn ours(params: &Map<String, Value>, param: &str) -> Result<(), ApiError> {
    for name in ["messages", "model", "stream"] {
        if params.contains_key(name) {
            return Err(invalid(
                format!("{param}.{name}"),
                format!("`{name}` is written by Turnwise; leave it out of `{param}`."),
            ));
        }
    }
    Ok(())
}

/// A short text that people read.
pub fn label(text: &str, param: &str, chars_max: usize) -> Result<(), ApiError> {
    let count = text.chars().count();
    if count == 0 || count > chars_max {
        return Err(invalid(param, format!("`{param}` has 1 to {chars_max} characters.")));
    }
    Ok(())
}
