use axum::Router;
use server::docs_page;

use crate::support::{around, get};

#[tokio::test]
async fn the_page_and_its_two_files_come_from_here_and_allow_nothing_else() {
    let router = around(Router::new().merge(docs_page::router()));
    for (path, content_type) in [
        ("/docs", "text/html; charset=utf-8"),
        ("/docs/docs.js", "text/javascript; charset=utf-8"),
        ("/docs/docs.css", "text/css; charset=utf-8"),
    ] {
        let answer = get(&router, path).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, content_type));
        assert!(answer.header("content-security-policy").starts_with("default-src 'self';"));
        let text = answer.text();
        let outside = text
            .match_indices("://")
            .find(|(at, _)| !text[..*at].ends_with("http") || !text[*at..].starts_with("://www.w3.org/"));
        assert_eq!(outside, None, "{path} points outside");
        for banned in ["innerHTML", "eval(", " style=", " onclick="] {
            assert!(!text.contains(banned), "{path} has {banned}");
        }
    }
}
