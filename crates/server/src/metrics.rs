//! The numbers behind `GET /metrics`. Labels come from closed sets (routes, methods, states): never an id, a host, a
//! model's or a user's name.

use std::fmt;
use std::hash::{Hash, Hasher};

use axum::extract::MatchedPath;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{Method, StatusCode};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabelSet, EncodeLabelValue, EncodeMetric, LabelValueEncoder,
};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::error::ApiError;

/// Seconds, for what is answered from memory or the store.
const FAST: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

type Family1<L, M> = Family<L, M, fn() -> M>;

/// One per process. Each part is a handle: clone it to where the thing happens.
pub struct Metrics {
    registry: Registry,
    pub requests: Family<RequestLabels, Counter>,
    /// From the head of the request to the head of the answer: a stream's length is not in it.
    pub request_seconds: Family1<RouteLabels, Histogram>,
    pub connections_open: Gauge,
    pub streams_open: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RequestLabels {
    pub route: Route,
    pub method: &'static str,
    /// `2xx` … `5xx`, or `gone` for a client that left before the answer.
    pub status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RouteLabels {
    pub route: Route,
    pub method: &'static str,
}

/// A route as it was declared (`/sessions/{id}`); `none` for a path that matched nothing.
#[derive(Clone, Debug)]
pub struct Route(Option<MatchedPath>);

impl Metrics {
    /// With what turns and storage count about themselves.
    pub fn new(turns: &scheduler::Stats, storage: &store::Stats) -> Self {
        let mut registry = Registry::with_prefix("turnwise");
        let (requests, request_seconds) = (Family::default(), Family1::new_with_constructor(fast as fn() -> Histogram));
        let (connections_open, streams_open) = (Gauge::default(), Gauge::default());
        // The encoder adds `_total` to counters.
        registry.register("http_requests", "Answered requests", requests.clone());
        registry.register("http_request_duration_seconds", "Time to the answer's head", request_seconds.clone());
        registry.register("http_connections_open", "Open client connections", connections_open.clone());
        registry.register("http_streams_open", "Open event streams", streams_open.clone());
        turns.register(&mut registry);
        registry.register_collector(Box::new(Storage(storage.clone())));
        Self { registry, requests, request_seconds, connections_open, streams_open }
    }

    /// The answer to `GET /metrics`.
    pub fn answer(&self) -> Response {
        let mut text = String::new();
        match prometheus_client::encoding::text::encode(&mut text, &self.registry) {
            Ok(()) => {
                ([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response()
            }
            Err(error) => ApiError::internal(format!("encoding the metrics: {error}")).into_response(),
        }
    }
}

/// Storage keeps plain numbers, since it knows nothing of how they are told.
#[derive(Debug)]
struct Storage(store::Stats);

impl Collector for Storage {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let stats = &self.0;
        let mut count = |name, help, value| {
            let counter = ConstCounter::new(value);
            counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)
        };
        count("store_commits", "Transactions", stats.commits())?;
        count("store_verbs", "Storage verbs in those transactions", stats.verbs())?;
        count("store_commit_microseconds", "Time spent in them", (stats.commit_seconds() * 1e6) as u64)
    }
}

fn fast() -> Histogram {
    Histogram::new(FAST)
}

impl Route {
    pub fn of(extensions: &http::Extensions) -> Self {
        Self(extensions.get().cloned())
    }

    pub fn as_str(&self) -> &str {
        self.0.as_ref().map_or("none", MatchedPath::as_str)
    }
}

impl PartialEq for Route {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Route {}

impl Hash for Route {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl EncodeLabelValue for Route {
    fn encode(&self, encoder: &mut LabelValueEncoder) -> fmt::Result {
        self.as_str().encode(encoder)
    }
}

/// A method a client made up is `other`: labels and logs must not grow with what clients send.
pub fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::PUT => "PUT",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

pub fn status_class(status: StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}
