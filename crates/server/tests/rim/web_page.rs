use axum::{Router, body::Body};
use http::Request;
use server::web_page::{self, File, Files};

use crate::support::{Answer, around, get, send};

const BUILT: &[(&str, &str)] = &[
    ("index.html", "<!doctype html>"),
    ("index.html.br", "br:index"),
    ("index.html.gz", "gz:index"),
    ("favicon.svg", "<svg/>"),
    ("assets/app-1a2b.js", "let a"),
    ("assets/app-1a2b.js.br", "br:js"),
    ("assets/app-1a2b.js.gz", "gz:js"),
    ("assets/font-3c4d.woff2", "font"),
    (".stamp", ""),
];

fn built() -> Router {
    let files = Files {
        find: |path| {
            let (_, text) = BUILT.iter().find(|(name, _)| *name == path)?;
            let mut sha256 = [0; 32];
            text.bytes().zip(&mut sha256).for_each(|(byte, place)| *place = byte);
            Some(File { bytes: text.as_bytes().into(), sha256 })
        },
        names: || BUILT.iter().map(|(name, _)| (*name).to_owned()).collect(),
    };
    around(web_page::router(files))
}

fn not_built() -> Router {
    around(web_page::router(Files { find: |_| None, names: Vec::new }))
}

async fn ask(method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let request = Request::builder().method(method).uri(path).header("host", "localhost");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    send(&built(), request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn every_session_has_the_same_page() {
    let root = get(&built(), "/").await;
    assert_eq!((root.status.as_u16(), root.text().as_str()), (200, "<!doctype html>"));
    assert_eq!(root.header("content-type"), "text/html; charset=utf-8");
    for path in ["/s/session_a", "/s/there-is-none", "/s/%2e%2e", "/s/%00", "/s/a?b=c"] {
        let answer = get(&built(), path).await;
        assert_eq!((answer.status, answer.body), (root.status, root.body.clone()), "{path}");
        assert_eq!(answer.headers["etag"], root.headers["etag"]);
    }
}

#[tokio::test]
async fn files_named_by_their_content_are_kept_and_others_are_asked_for_again() {
    for (path, kind, cached) in [
        ("/", "text/html; charset=utf-8", "no-cache"),
        ("/favicon.svg", "image/svg+xml", "no-cache"),
        ("/assets/app-1a2b.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
        ("/assets/font-3c4d.woff2", "font/woff2", "public, max-age=31536000, immutable"),
    ] {
        let answer = ask("GET", path, &[]).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!((answer.header("content-type"), answer.header("cache-control")), (kind, cached), "{path}");
        let policy = answer.header("content-security-policy");
        for rule in ["default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"] {
            assert!(policy.contains(rule), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe-eval") && !policy.contains("script-src"), "scripts come from here alone");
        assert_eq!(
            (answer.header("x-content-type-options"), answer.header("referrer-policy")),
            ("nosniff", "no-referrer")
        );

        let tag = answer.header("etag");
        for known in [tag.to_owned(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".into()] {
            let again = ask("GET", path, &[("if-none-match", &known)]).await;
            assert_eq!((again.status.as_u16(), again.body.len()), (304, 0), "{path} {known}");
            assert_eq!((again.header("etag"), again.header("cache-control")), (tag, cached));
        }
        assert_eq!(ask("GET", path, &[("if-none-match", "\"other\"")]).await.status, 200);
    }
}

#[tokio::test]
async fn a_file_comes_in_the_form_that_the_client_likes_best_of_those_there_are() {
    for (path, accepted, encoding, body) in [
        ("/assets/app-1a2b.js", "gzip, deflate, br", "br", "br:js"),
        ("/assets/app-1a2b.js", "gzip", "gzip", "gz:js"),
        ("/assets/app-1a2b.js", "br;q=0.1, gzip;q=0.9", "gzip", "gz:js"),
        ("/assets/app-1a2b.js", "", "", "let a"),
        ("/s/a", "br", "br", "br:index"),
        ("/assets/font-3c4d.woff2", "br, gzip", "", "font"),
    ] {
        let answer = ask("GET", path, &[("accept-encoding", accepted)]).await;
        assert_eq!((answer.header("content-encoding"), answer.text().as_str()), (encoding, body), "{path} {accepted}");
        assert_eq!(answer.header("vary"), "accept-encoding");
        let plain = ask("GET", path, &[]).await;
        assert_eq!(answer.header("etag") == plain.header("etag"), encoding.is_empty(), "each form has its own tag");
        assert_eq!(answer.header("content-type"), plain.header("content-type"));
    }
}

#[tokio::test]
async fn a_head_is_an_answer_without_its_body() {
    for path in ["/", "/assets/app-1a2b.js"] {
        let (get, head) = (ask("GET", path, &[]).await, ask("HEAD", path, &[]).await);
        assert_eq!((head.status, head.body.len()), (get.status, 0));
        for name in ["content-type", "content-length", "etag"] {
            assert_eq!(head.header(name), get.header(name), "{path} {name}");
        }
    }
    ask("POST", "/", &[]).await.refused(405, "method_not_allowed", "");
}

#[tokio::test]
async fn what_is_no_file_of_the_page_is_an_error_of_the_api() {
    for path in [
        "/index.html",
        "/.stamp",
        "/assets/",
        "/assets/none.js",
        "/assets/app-1a2b.js.br",
        "/assets/../index.html",
        "/assets/..%2findex.html",
        "/assets/%2e%2e/favicon.svg",
        "/assets//etc/passwd",
        "/assets/.env",
        "/s/a/b",
        "/s",
        "/wp-login.php",
    ] {
        ask("GET", path, &[]).await.refused(404, "route_not_found", "");
    }
}

#[tokio::test]
async fn a_build_without_the_page_says_how_to_have_it() {
    for path in ["/", "/s/a"] {
        let answer = get(&not_built(), path).await;
        let text = answer.text();
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "text/html; charset=utf-8"));
        assert!(text.contains("make run") && text.contains("href=\"/docs\""), "{text}");
        assert!(!text.contains("<script") && !text.contains("://"), "it needs nothing else");
    }
    get(&not_built(), "/assets/app-1a2b.js").await.refused(404, "route_not_found", "");
}
