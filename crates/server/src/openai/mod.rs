//! `/v1`: OpenAI's Responses, Conversations and chat completions over our sessions and turns. Its words (response,
//! conversation, item) stay in here; what a client of it makes, the native API and the page show, and the other way round.

mod chat;
mod compact;
mod conversations;
mod dialect;
mod fold;
mod given;
mod ids;
mod input;
mod items;
mod list;
mod lookup;
mod models;
mod query;
mod refusal;
mod request;
mod response;
mod responses;
mod stream;

use axum::{
    Router,
    routing::{get, post},
};

pub use dialect::Dialect;
pub use request::{model, model_not_found};

use crate::app::App;

/// Not in `openapi.json`: that describes the native API, and OpenAI's own description is the one of this.
pub fn router() -> Router<App> {
    Router::new()
        .route("/v1/chat/completions", post(chat::create))
        .route("/v1/models", get(models::list))
        .route("/v1/models/{*id}", get(models::read))
        .route("/v1/conversations", post(conversations::create))
        .route(
            "/v1/conversations/{id}",
            get(conversations::read).post(conversations::change).delete(conversations::delete),
        )
        .route("/v1/conversations/{id}/items", get(conversations::list).post(conversations::add))
        .route("/v1/conversations/{id}/items/{item}", get(conversations::item).delete(conversations::delete_item))
        .route("/v1/responses", post(responses::create))
        .route("/v1/responses/input_tokens", post(compact::input_tokens))
        .route("/v1/responses/compact", post(compact::compact))
        .route("/v1/responses/{id}", get(responses::read).delete(responses::delete))
        .route("/v1/responses/{id}/cancel", post(responses::cancel))
        .route("/v1/responses/{id}/input_items", get(responses::input_items))
}
