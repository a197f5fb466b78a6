//! The map of the product: every route there is, by who may call it.

use axum::{
    Json, Router,
    middleware::{from_fn, from_fn_with_state},
    routing::get,
};
use http::StatusCode;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        RefOr,
        path::Operation,
        security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    anthropic,
    app::App,
    auth::authenticate,
    cookie, docs_page, openai,
    routes::{chat, configs, events, export, messages, meta, providers, search, sessions, sign_in, turns},
    web_page,
    wire::{NewSessionRequest, RerunRequest},
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Turnwise",
        description = "Durable, isolated, parallel sessions over stateless model APIs.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    // Bodies that may be left out: their routes name them by `ref`, since one that is named by its type is required.
    components(schemas(NewSessionRequest, RerunRequest)),
    modifiers(&Keys),
    security((), ("key" = []), ("sign_in" = []))
)]
struct Description;

struct Keys;

impl Modify for Keys {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let bearer = Http::new(HttpAuthScheme::Bearer);
        let cookie = ApiKey::Cookie(ApiKeyValue::new(cookie::NAME));
        let components = api.components.get_or_insert_default();
        components.add_security_scheme("key", SecurityScheme::Http(bearer));
        components.add_security_scheme("sign_in", SecurityScheme::ApiKey(cookie));
    }
}

/// Open to everybody who reaches the server.
fn public() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(meta::health))
        .routes(routes!(meta::ready))
        .routes(routes!(sign_in::read, sign_in::sign_in))
        .routes(routes!(sign_in::sign_out))
}

/// Wants an API key, once there is one.
fn authenticated() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(chat::chat))
        .routes(routes!(sessions::create, sessions::list))
        .routes(routes!(sessions::read, sessions::change, sessions::delete))
        .routes(routes!(sessions::restore))
        .routes(routes!(sessions::resume))
        .routes(routes!(sessions::fork))
        .routes(routes!(messages::list))
        .routes(routes!(messages::turns))
        .routes(routes!(export::export))
        .routes(routes!(search::search))
        .routes(routes!(turns::read, turns::edit))
        .routes(routes!(turns::events))
        .routes(routes!(turns::cancel))
        .routes(routes!(turns::retry))
        .routes(routes!(turns::go_on))
        .routes(routes!(turns::prompt))
        .routes(routes!(events::follow))
        .routes(routes!(configs::create, configs::list))
        .routes(routes!(configs::read, configs::change, configs::delete))
        .routes(routes!(configs::test))
        .routes(routes!(configs::models))
        .routes(routes!(providers::list))
        .routes(routes!(meta::metrics))
}

/// The description of all routes, as `openapi.json`.
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut api = authenticated().merge(public()).into_openapi();
    for item in api.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.patch, &mut item.delete];
        operations.into_iter().flatten().for_each(describe);
    }
    api
}

/// The format wants a description of every response; where the status says it all, that is it.
fn describe(operation: &mut Operation) {
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && response.description.is_empty()
        {
            let status = status.parse().ok().and_then(|code| StatusCode::from_u16(code).ok());
            response.description = status.and_then(|status| status.canonical_reason()).unwrap_or("Answer").to_owned();
        }
    }
}

pub fn router(app: App) -> Router {
    let authenticated = authenticated().layer(from_fn_with_state(app.clone(), authenticate));
    let openai = openai::router().layer(from_fn_with_state(app.clone(), authenticate));
    let anthropic = anthropic::router().layer(from_fn_with_state(app.clone(), authenticate));
    let anthropic = anthropic.layer(from_fn(anthropic::errors));
    let api = openapi();
    Router::from(authenticated.merge(public()))
        .merge(openai)
        .merge(anthropic)
        .route("/openapi.json", get(move || std::future::ready(Json(api.clone()))))
        .merge(docs_page::router())
        .merge(web_page::router(web_page::EMBEDDED))
        .with_state(app)
}
