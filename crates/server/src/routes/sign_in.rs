//! Signing in with an API key, for a browser: it gets a cookie, and keeps no key.

use std::time::Duration;

use axum::{
    Extension, Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header::SET_COOKIE};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    accept::Peer,
    app::App,
    attempts::ATTEMPTS_MAX,
    body::{Body, Nothing, OptionalBody},
    cookie,
    error::{ApiError, ErrorBody},
};

const LASTS: Duration = Duration::from_secs(30 * 24 * 3600);

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignInRequest {
    /// An API key, `tw_…`.
    #[schema(value_type = String)]
    key: SecretString,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SignInState {
    /// Requests need an API key, or a sign-in with one.
    pub required: bool,
    /// This one has either.
    pub signed_in: bool,
}

/// Whether a sign-in is needed, and there is one
#[utoipa::path(get, path = "/sign-in", operation_id = "read_sign_in", tag = "Server", responses((status = 200, body = SignInState)))]
pub async fn read(State(app): State<App>, headers: HeaderMap) -> Result<Json<SignInState>, ApiError> {
    let required = app.auth.required();
    let signed_in = required
        && match app.auth.caller(&headers, app.clock().now()).await {
            Ok(_) => true,
            Err(refused) if refused.status() == StatusCode::UNAUTHORIZED => false,
            Err(error) => return Err(error),
        };
    Ok(Json(SignInState { required, signed_in }))
}

/// Sign in with an API key: a cookie stands for it, for 30 days
#[utoipa::path(
    post, path = "/sign-in", operation_id = "sign_in", tag = "Server", request_body = SignInRequest,
    responses(
        (status = 204, description = "Signed in, by the cookie that comes with this"),
        (status = 401, description = "The key is unknown or revoked", body = ErrorBody),
        (status = 409, description = "There are no keys, and no need to sign in", body = ErrorBody),
        (status = 429, description = "Too many wrong keys", body = ErrorBody),
    )
)]
pub async fn sign_in(
    State(app): State<App>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    Body { value: SignInRequest { key }, .. }: Body<SignInRequest>,
) -> Result<Response, ApiError> {
    if !app.auth.required() {
        let message =
            "This server has no API keys and is open to its machine: there is nothing to sign in with, and no need to.";
        return Err(ApiError::conflict("sign_in_not_needed", message));
    }
    let from = peer.map(|Extension(Peer(address))| address.ip());
    app.sign_ins.begin(from).map_err(|wait| {
        let message =
            format!("There were {ATTEMPTS_MAX} sign-ins with a wrong key within a minute. Wait for the rest of it.");
        ApiError::too_many("too_many_sign_ins", message).retry_after(wait)
    })?;
    let value = app.auth.sign_in(&key, app.clock().now().plus_ms(LASTS.as_millis() as i64)).await?;
    app.sign_ins.was_right(from);
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, cookie::set(&value, LASTS.as_secs(), &headers)?)]).into_response())
}

/// Sign out: the browser forgets the cookie
#[utoipa::path(
    post, path = "/sign-out", operation_id = "sign_out", tag = "Server",
    responses((status = 204, description = "Signed out"))
)]
pub async fn sign_out(headers: HeaderMap, _: OptionalBody<Nothing>) -> Result<Response, ApiError> {
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, cookie::set("", 0, &headers)?)]).into_response())
}
