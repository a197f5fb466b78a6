//! Titles and messages are found, and only by those who may.

use serde_json::json;
use session::message::{Content, Message, MessagePart};
use store::{
    Admit, Error, Hit, HitList, HitOf, Input, Order, Page, Retention, Said, SessionChange, SessionRef, Source,
};

use super::support::*;

#[test]
fn words_of_any_script_are_found() {
    on_every_engine(|lab| {
        lab.add_session("s");
        for (turn, text) in [
            ("t1", "我想去北京旅游，要 Visa 吗？"),
            ("t2", "北海和南京，东京大学"),
            ("t3", "How do I call get_user_name() in Ｒｕｓｔ 2024?"),
            ("t4", "用Rust写代码"),
        ] {
            say(lab, "s", turn, text);
        }
        index(lab);
        for (q, expected) in [
            ("北京", "t1"),
            ("旅游", "t1"),
            ("想去北京", "t1"),
            ("visa", "t1"),
            ("北京 visa", "t1"),
            ("东京大学", "t2"),
            ("京", "t1 t2"),
            ("游", "t1"),
            ("rust", "t3 t4"),
            ("RUST", "t3 t4"),
            ("ｒｕｓｔ 2024", "t3"),
            ("用rust", "t4"),
            ("get_user_name", "t3"),
            ("user_name", "t3"),
            ("nam", "t3"),
            ("na", ""),
            ("nam call", ""),
            ("京都", ""),
            ("海京", ""),
            ("visa rust", ""),
        ] {
            assert_eq!(turns(&search(lab, "p", q)), expected, "{q}");
        }
    });
}

#[test]
fn a_hit_shows_where_it_is_and_what_fits() {
    on_every_engine(|lab| {
        lab.add_session("s");
        say(lab, "s", "t1", "去北京，北京！");
        index(lab);
        let found = search(lab, "p", "北京");
        assert_eq!(shown(&found), ["title of s: 去[北京]，[北京]！", "message u-t1 of t1: 去[北京]，[北京]！"]);
        let hit = &found.hits[1];
        assert_eq!((hit.session.as_str(), hit.title.as_deref()), ("s", Some("去北京，北京！")));
        assert_eq!(hit.timestamp, now());
        assert_eq!(shown(&search(lab, "p", "a-t1")), ["message a-t1 of t1: [a-t1]"]);
    });
}

#[test]
fn a_query_is_text_and_nothing_else() {
    on_every_engine(|lab| {
        lab.add_session("s");
        say(lab, "s", "t1", "one NEAR two: \"x\" -y ^z* OR terms");
        index(lab);
        for q in
            ["\"x\"", "x\"", "one*", "-y", "^z", "{terms}: one", "one OR", "(one", "one)", "NEAR(", "'x'", "one + two"]
        {
            assert_eq!(turns(&search(lab, "p", q)), "t1", "{q}");
        }
        for q in [
            "\"",
            "*",
            "^",
            ":",
            "'",
            "\\",
            "%",
            "_",
            "AND",
            "one AND two",
            "NOT one",
            "NEAR(one two)",
            "terms:one",
            "x; DROP TABLE y",
        ] {
            assert_eq!(turns(&search(lab, "p", q)), "", "{q}");
        }
    });
}

#[test]
fn parts_are_found_by_their_words_and_tool_results_not_at_all() {
    on_every_engine(|lab| {
        lab.add_session("s");
        let parts = json!([
            {"type": "text", "text": "看这张图"},
            {"type": "image_url", "image_url": {"url": "https://example.com/secret.png"}},
            {"type": "text", "text": "a whale"},
        ]);
        let content: Content = serde_json::from_value(parts).unwrap();
        let started = lab.start(said("p", "s", "t1", Message { content, ..Message::user("") }));
        lab.end(finish(&started, called(&["c1"])));
        lab.start(ask_results("s", "t2", &["c1"]));
        index(lab);
        assert_eq!(turns(&search(lab, "p", "whale")), "t1");
        assert_eq!(turns(&search(lab, "p", "这张")), "t1");
        assert_eq!(turns(&search(lab, "p", "secret")), "");
        assert_eq!(turns(&search(lab, "p", "r-c1")), "");
    });
}

#[test]
fn a_title_is_found_as_it_is_now() {
    on_every_engine(|lab| {
        let titles = |lab: &Lab, q: &str| shown(&search(lab, "p", q));
        let none: [&str; 0] = [];
        let new = store::NewSession { title: Some("Trip to Kyoto".into()), ..new_session("s") };
        lab.create_session(project(), new, None, now()).wait().unwrap();
        lab.add_session("untitled");
        index(lab);
        assert_eq!(titles(lab, "kyoto"), ["title of s: Trip to [Kyoto]"]);

        change(lab, "s", Some("去东京"));
        assert_eq!(titles(lab, "kyoto"), none);
        assert_eq!(titles(lab, "东京"), ["title of s: 去[东京]"]);
        change(lab, "s", None);
        index(lab);
        assert_eq!(titles(lab, "东京"), none);

        // Made from the first message, after the session was indexed without one.
        say(lab, "untitled", "t1", "First line\nsecond line");
        index(lab);
        assert!(titles(lab, "first").contains(&"title of untitled: [First] line".to_owned()));
        assert_eq!(titles(lab, "second").len(), 1);
    });
}

#[test]
fn a_deleted_session_is_found_again_only_when_restored() {
    on_every_engine(|lab| {
        lab.add_session("s");
        say(lab, "s", "t1", "whale");
        index(lab);
        assert_eq!(search(lab, "p", "whale").hits.len(), 2);
        lab.delete_session(project(), id("s"), now()).wait().unwrap();
        assert_eq!(search(lab, "p", "whale").hits.len(), 0);
        lab.restore_session(project(), id("s")).wait().unwrap();
        assert_eq!(search(lab, "p", "whale").hits.len(), 2);
    });
}

#[test]
fn what_is_purged_leaves_the_index_and_its_place_is_used_again() {
    on_every_engine(|lab| {
        lab.add_session("stays");
        say(lab, "stays", "t1", "whale");
        lab.add_session("goes");
        say(lab, "goes", "t2", "whale");
        index(lab);
        lab.delete_session(project(), id("goes"), now()).wait().unwrap();
        let keep = Retention { deleted_ms: 1000, ..Retention::default() };
        lab.purge_all(keep, later(2000));
        assert_eq!(lab.query("SELECT count(*) FROM search_messages_docsize"), ["2"]);
        assert_eq!(lab.query("SELECT count(*) FROM search_titles_docsize"), ["1"]);

        lab.add_session("comes");
        say(lab, "comes", "t3", "whale");
        index(lab);
        assert_eq!(turns(&search(lab, "p", "whale")), "t1 t3");
        assert_eq!(search(lab, "p", "whale").hits.len(), 4);
    });
}

#[test]
fn what_is_deleted_is_not_found_whether_or_not_it_was_indexed() {
    on_every_engine(|lab| {
        lab.add_session("s");
        change(lab, "s", Some("T"));
        for turn in ["t1", "t2", "t3"] {
            say(lab, "s", turn, "whale");
        }
        index(lab);
        say(lab, "s", "t4", "whale");
        let delete = |source| {
            let said = Said { source, part: MessagePart::Text };
            drop(lab.delete_said(project(), id("s"), said, now()).wait().unwrap());
        };
        delete(Source::Input(id("u-t1")));
        delete(Source::Input(id("u-t4")));
        delete(Source::Answer(id("t2")));
        assert_eq!(turns(&search(lab, "p", "whale")), "t2 t3");
        index(lab);
        assert_eq!(turns(&search(lab, "p", "whale")), "t2 t3");
        assert_eq!(shown(&search(lab, "p", "a-t2")), [""; 0]);
        assert_eq!(lab.query("SELECT count(*) FROM search_messages_docsize"), ["5"]);
        lab.execute("UPDATE search_progress SET messages = 0").unwrap();
        lab.execute("DELETE FROM search_messages").unwrap();
        index(lab);
        assert_eq!(lab.query("SELECT count(*) FROM search_messages_docsize"), ["5"], "an index that is made anew");
    });
}

#[test]
fn a_project_finds_its_own_and_nothing_else() {
    on_every_engine(|lab| {
        lab.add_config(&id("q"), "c", config());
        for (project, text) in [("p", "whale mine"), ("q", "whale yours")] {
            let ask = Admit { session: SessionRef::New(id("s")), ..said(project, "s", "t1", Message::user(text)) };
            lab.start(ask);
        }
        index(lab);
        for (project, own, other) in [("p", "mine", "yours"), ("q", "yours", "mine")] {
            let found = search(lab, project, "whale");
            assert_eq!(found.hits.len(), 2);
            assert!(found.hits.iter().all(|hit| text(hit).contains(own)), "{found:?}");
            assert_eq!(search(lab, project, other).hits.len(), 0);
        }
        assert_eq!(search(lab, "nobody", "whale").hits.len(), 0);
    });
}

#[test]
fn pages_give_every_hit_once() {
    on_every_engine(|lab| {
        for n in 0..7 {
            let (session, turn) = (format!("s{n}"), format!("t{n}"));
            lab.add_session(&session);
            say(lab, &session, &turn, &format!("whale {}", "and more ".repeat(n)));
        }
        index(lab);
        let all = shown(&search(lab, "p", "whale"));
        assert_eq!(all.len(), 14);
        let (mut paged, mut after) = (Vec::new(), None);
        loop {
            let found = page_of(lab, "p", "whale", 4, after.take()).unwrap();
            paged.extend(shown(&found));
            assert!(found.hits.len() == 4 || !found.has_more);
            after = found.hits.last().map(Hit::cursor);
            if !found.has_more {
                break;
            }
        }
        assert_eq!(paged, all);
        for cursor in ["", "x", "message:", "message:none", "title:none", "title:s1'"] {
            let refused = page_of(lab, "p", "whale", 4, Some(cursor.into()));
            assert!(matches!(refused, Err(Error::BadCursor("after"))), "{cursor}");
        }
        let elsewhere = page_of(lab, "q", "whale", 4, Some("title:s1".into()));
        assert!(matches!(elsewhere, Err(Error::BadCursor("after"))));
    });
}

#[test]
fn what_fits_better_comes_first_and_of_equals_the_newer() {
    on_every_engine(|lab| {
        for (session, text, at) in [
            ("s1", "whale", now()),
            ("s2", "whale", later(60_000)),
            ("s3", "a whale among a great many other animals of land and sea", later(120_000)),
        ] {
            lab.add_session(session);
            let turn = session.replace('s', "t");
            lab.start(Admit { now: at, ..said("p", session, &turn, Message::user(text)) });
        }
        // BM25 says little of a word that most messages have.
        for n in 0..20 {
            lab.add_session(&format!("x{n}"));
            lab.start(said("p", &format!("x{n}"), &format!("x-{n}"), Message::user("something else")));
        }
        index(lab);
        let found = search(lab, "p", "whale");
        let of_messages = found.hits.iter().filter(|hit| !matches!(hit.of, HitOf::Title));
        let order: Vec<&str> = of_messages.map(|hit| hit.session.as_str()).collect();
        assert_eq!(order, ["s2", "s1", "s3"]);
    });
}

#[test]
fn nothing_is_indexed_twice_or_left_out_however_the_strides_fall() {
    on_every_engine(|lab| {
        lab.add_session("s");
        for n in 0..5 {
            say(lab, "s", &format!("t{n}"), "whale");
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        while runtime.block_on(lab.index_some(3)).unwrap() > 0 {}
        lab.reopen();
        index(lab);
        assert_eq!(turns(&search(lab, "p", "whale")), "t0 t1 t2 t3 t4");
        assert_eq!(lab.query("SELECT count(*) FROM search_messages_docsize"), ["10"]);
    });
}

fn index(lab: &Lab) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    while runtime.block_on(lab.index_some(100)).unwrap() > 0 {}
}

fn said(project: &str, session: &str, turn: &str, message: Message) -> Admit {
    let input = Input::Messages(vec![input(&format!("u-{turn}"), message)]);
    Admit { project: id(project), input, ..ask(session, turn) }
}

fn say(lab: &Lab, session: &str, turn: &str, text: &str) {
    let started = lab.start(said("p", session, turn, Message::user(text)));
    lab.end(finish(&started, completed(&format!("a-{turn}"))));
}

fn change(lab: &Lab, session: &str, title: Option<&str>) {
    let change = SessionChange { title: Some(title.map(str::to_owned)), ..SessionChange::default() };
    lab.change_session(project(), id(session), change, now()).wait().unwrap();
}

fn search(lab: &Lab, project: &str, q: &str) -> HitList {
    page_of(lab, project, q, 100, None).unwrap()
}

fn page_of(lab: &Lab, project: &str, q: &str, limit: u32, after: Option<String>) -> store::Result<HitList> {
    let page = Page { limit, after, before: None, order: Order::Desc };
    lab.search(id(project), q.into(), page, now()).wait()
}

/// The turns whose messages were found.
fn turns(found: &HitList) -> String {
    let turn = |hit: &Hit| match &hit.of {
        HitOf::Message { turn, .. } => Some(turn.to_string()),
        HitOf::Title => None,
    };
    let mut turns: Vec<String> = found.hits.iter().filter_map(turn).collect();
    turns.sort();
    turns.join(" ")
}

fn shown(found: &HitList) -> Vec<String> {
    let line = |hit: &Hit| match &hit.of {
        HitOf::Message { id, turn, .. } => format!("message {id} of {turn}: {}", text(hit)),
        HitOf::Title => format!("title of {}: {}", hit.session, text(hit)),
    };
    found.hits.iter().map(line).collect()
}

/// With brackets around what was looked for.
fn text(hit: &Hit) -> String {
    hit.snippet.iter().map(|piece| if piece.hit { format!("[{}]", piece.text) } else { piece.text.clone() }).collect()
}
