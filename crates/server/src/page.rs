//! The stretch of a list that a request asks for.

use serde::Deserialize;
use store::{Order, Page};
use utoipa::IntoParams;

use crate::error::ApiError;

const LIMIT_MAX: u32 = 100;
const LIMIT_DEFAULT: u32 = 20;

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// 1 to 100, default 20.
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u32>,
    /// What comes behind this entry of the list.
    pub after: Option<String>,
    /// What comes before this entry of the list.
    pub before: Option<String>,
    /// `asc` or `desc`.
    pub order: Option<String>,
}

impl PageQuery {
    pub fn page(self, default: Order) -> Result<Page, ApiError> {
        page(self.limit, self.after, self.before, self.order.as_deref(), default)
    }
}

pub fn page(
    limit: Option<u32>,
    after: Option<String>,
    before: Option<String>,
    order: Option<&str>,
    default: Order,
) -> Result<Page, ApiError> {
    let limit = limit.unwrap_or(LIMIT_DEFAULT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        let message = format!("`limit` lies between 1 and {LIMIT_MAX}.");
        return Err(ApiError::bad_request("invalid_value", message).param("limit"));
    }
    let order = match order {
        None => default,
        Some("asc") => Order::Asc,
        Some("desc") => Order::Desc,
        Some(_) => {
            return Err(ApiError::bad_request("invalid_value", "`order` is asc or desc.").param("order"));
        }
    };
    Ok(Page { limit, after, before, order })
}
