use axum::Router;
use axum::body::Body;
use axum::routing::{get as route_get, post};
use http::Request;
use server::guard::{Guard, Invalid};
use server::rim::{Rim, rim};

use crate::support::{Answer, metrics, send};

#[tokio::test]
async fn hosts_of_this_machine_and_listed_ones_are_answered_on_any_port() {
    let hosts = [
        "localhost",
        "localhost:8377",
        "LocalHost:1",
        "127.0.0.1",
        "127.0.0.1:65535",
        "[::1]",
        "[::1]:8377",
        "chat.example.com",
        "CHAT.example.com:443",
        "10.0.0.7:8377",
        "[fd00::7]",
    ];
    for host in hosts {
        assert_eq!(ask("/", &[("host", host)]).await.status, 200, "{host}");
    }
}

#[tokio::test]
async fn any_other_host_is_refused_and_the_setting_is_named() {
    let hosts = [
        "evil.com",
        "127.0.0.1.evil.com",
        "localhost.evil.com",
        "evil-localhost",
        "localhost@evil.com",
        "evil.com@localhost",
        "localhost:80@evil.com",
        "localhost.",
        "localhost.:8377",
        "127.0.0.1.",
        "127.1",
        "127.0.0.2",
        "0.0.0.0",
        "2130706433",
        "0x7f.0.0.1",
        "localhost:",
        "localhost:x",
        "localhost:99999",
        "localhost:-1",
        "localhost:80:80",
        "localhost:000080",
        "localhost/",
        "localhost/evil",
        "localhost evil",
        "localhost,evil.com",
        "::1",
        "[::1",
        "[::1]x",
        "[::1]:",
        "[::2]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::1%25lo]",
        "[localhost]",
        "[]",
        "",
        ":80",
        "chat.example.com.evil.com",
        "xchat.example.com",
        "a.chat.example.com",
        "null",
        "*",
        "http://localhost",
    ];
    for host in hosts {
        let answer = ask("/", &[("host", host)]).await;
        answer.refused(403, "host_not_allowed", "host");
        assert!(answer.error("message").contains("allowed_hosts"));
        assert_eq!(answer.error("type"), "permission_error");
    }
}

#[tokio::test]
async fn one_host_is_needed_and_only_one_taken() {
    ask("/", &[]).await.refused(400, "host_required", "host");
    ask("/", &[("host", "localhost"), ("host", "evil.com")]).await.refused(400, "invalid_header", "host");
    ask("/", &[("host", "localhost"), ("host", "localhost")]).await.refused(400, "invalid_header", "host");
    ask("/", &[("host", "löcalhost")]).await.refused(400, "invalid_header", "host");
}

#[tokio::test]
async fn a_host_in_the_request_line_counts_too() {
    assert_eq!(ask("http://localhost:8377/", &[("host", "localhost")]).await.status, 200);
    ask("http://evil.com/", &[("host", "localhost")]).await.refused(403, "host_not_allowed", "host");
    ask("http://localhost@evil.com/", &[("host", "localhost")]).await.refused(403, "host_not_allowed", "host");
}

#[tokio::test]
async fn unknown_routes_are_guarded_as_well() {
    ask("/nowhere", &[("host", "evil.com")]).await.refused(403, "host_not_allowed", "host");
}

#[tokio::test]
async fn pages_of_our_own_origin_may_ask() {
    let pairs = [
        ("http://localhost:8377", "localhost:8377"),
        ("http://LOCALHOST:8377", "localhost:8377"),
        ("http://localhost", "localhost"),
        ("http://localhost", "localhost:80"),
        ("https://chat.example.com", "chat.example.com"),
        ("https://chat.example.com", "chat.example.com:443"),
        ("http://[::1]:8377", "[::1]:8377"),
    ];
    for (origin, host) in pairs {
        let answer = ask("/", &[("host", host), ("origin", origin)]).await;
        assert_eq!(answer.status, 200, "{origin} {host}");
        assert_eq!(answer.header("access-control-allow-origin"), "");
    }
}

#[tokio::test]
async fn other_pages_may_not() {
    let origins = [
        "null",
        "",
        "http://evil.com",
        "http://localhost:3000",
        "https://localhost:8377.evil.com",
        "http://127.0.0.1:8377",
        "http://localhost.:8377",
        "http://localhost@evil.com",
        "http://localhost:8377/",
        "http://localhost:8377@evil.com",
        "ftp://localhost:8377",
        "localhost:8377",
        "file://",
        "http://app.example.com",
        "https://app.example.com:444",
        "https://app.example.com.evil.com",
        "https://xapp.example.com",
        "chrome-extension://abc",
    ];
    for origin in origins {
        let answer = ask("/", &[("host", "localhost:8377"), ("origin", origin)]).await;
        answer.refused(403, "origin_not_allowed", "origin");
        assert!(answer.error("message").contains("allowed_origins"));
        assert_eq!(answer.header("access-control-allow-origin"), "", "{origin}");
    }
    let twice = [("host", "localhost"), ("origin", "http://localhost"), ("origin", "http://evil.com")];
    ask("/", &twice).await.refused(400, "invalid_header", "origin");
}

#[tokio::test]
async fn pages_of_a_listed_origin_may_ask_and_read_the_answer_even_an_error() {
    for (path, status) in [("/", 200), ("/nowhere", 404)] {
        let answer = ask(path, &[("host", "localhost"), ("origin", "https://app.example.com")]).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("access-control-allow-origin"), "https://app.example.com");
        assert_eq!(answer.header("vary"), "origin");
        let exposed = "x-request-id, retry-after, x-turnwise-session, x-turnwise-turn";
        assert_eq!(answer.header("access-control-expose-headers"), exposed);
        assert_eq!(answer.header("access-control-allow-credentials"), "");
    }
}

#[tokio::test]
async fn a_preflight_is_answered_for_listed_origins_only() {
    let asked =
        [("access-control-request-method", "POST"), ("access-control-request-headers", "authorization,content-type")];
    let preflight = |origin: &'static str| async move {
        let request = Request::options("/post").header("host", "localhost").header("origin", origin);
        let request = asked.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        send(&router(), request.body(Body::empty()).unwrap()).await
    };
    let answer = preflight("https://app.example.com").await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("access-control-allow-origin"), "https://app.example.com");
    assert_eq!(answer.header("access-control-allow-methods"), "GET, POST, PATCH, DELETE");
    assert_eq!(answer.header("access-control-allow-headers"), "authorization,content-type");
    assert_eq!(preflight("https://evil.com").await.status, 403);
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    for headers in [&[("host", "localhost")][..], &[("host", "evil.com")], &[]] {
        let answer = ask("/", headers).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert_eq!(answer.header("content-security-policy"), "frame-ancestors 'none'");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}

#[test]
fn lists_that_would_never_match_are_refused_at_start() {
    for host in ["", "http://a", "a:80", "a/b", "a b", "[::g]", "*.a.com", "a@b"] {
        assert_eq!(Guard::new(&[host.to_owned()], &[]).unwrap_err(), Invalid::Host(host.to_owned()));
    }
    for origin in ["", "null", "a.com", "https://", "https://a.com/path", "https://*.a.com", "*"] {
        assert_eq!(Guard::new(&[], &[origin.to_owned()]).unwrap_err(), Invalid::Origin(origin.to_owned()));
    }
    assert!(Guard::new(&[], &["https://A.com/".to_owned(), "chrome-extension://abc".to_owned()]).is_ok());
}

async fn ask(uri: &str, headers: &[(&str, &str)]) -> Answer {
    let request = headers.iter().fold(Request::get(uri), |request, (name, value)| request.header(*name, *value));
    send(&router(), request.body(Body::empty()).unwrap()).await
}

fn router() -> Router {
    let hosts = ["chat.example.com", "10.0.0.7", "[FD00::7]"].map(str::to_owned);
    let guard = Guard::new(&hosts, &["https://app.example.com".to_owned()]).unwrap();
    let router = Router::new().route("/", route_get(|| async { "ok" })).route("/post", post(|| async {}));
    rim(router, Rim { guard, ..Rim::default() }, metrics())
}
