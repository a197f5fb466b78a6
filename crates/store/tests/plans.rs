//! Every statement in the sources finds its rows through an index: none scans a table, none sorts what grows with a
//! session, and none walks a whole project when it was asked about one session.

use std::path::Path;

use rusqlite::Connection;
use store::{Faults, Store};

/// Steps that may look wrong: part of the statement, part of the step, and what makes it right.
const ALLOWED: &[(&str, &str, &str)] = &[
    ("", "SCAN CONSTANT ROW", "no table at all"),
    ("ORDER BY rowid LIMIT", "SCAN", "the first rows only"),
    ("FROM chat_segments ORDER BY rowid LIMIT", "TEMP B-TREE FOR DISTINCT", "of those first rows"),
    ("json_each", "SCAN json_each", "the calls of one message"),
    ("search_", "VIRTUAL TABLE INDEX 192:M", "matches only, newest first, up to the limit"),
    ("search_", "VIRTUAL TABLE INDEX 0:=", "by rowid"),
    ("search_progress", "SCAN search_progress", "one row"),
    ("AND owner <> ?1 ORDER BY started_at", "USING INDEX chat_turns_running", "the indexes have running turns only"),
    ("AND owner <> ?1 ORDER BY started_at", "TEMP B-TREE", "of those, and a server starts rarely"),
    ("DISTINCT project_id, session_id FROM chat_turns", "chat_turns_queue", "the index has queued turns only"),
    ("FROM chat_configs WHERE deleted_at IS NULL ORDER BY project_id", "", "doctor looks at all of them"),
    ("FROM api_keys ORDER BY", "", "asked for by the command line, and few"),
    ("FROM projects ORDER BY", "", "likewise"),
    ("chat_configs", "(project_id=?)", "a project's configs are few, and it asked for all of them"),
    ("FROM chat_configs c", "TEMP B-TREE", "likewise"),
    ("FROM chat_sessions s", "chat_sessions_active (project_id=?)", "read in order, up to the limit"),
    ("SET default_config_id =", "TEMP B-TREE", "likewise, and a default is deleted rarely"),
];

/// How statements that are put together at run time go on.
const COMPLETED: &[(&str, &[&str])] = &[
    (
        "FROM chat_sessions s LEFT JOIN chat_turns h ON h.project_id = s.project_id AND h.id = s.head",
        &[
            " WHERE s.project_id = ? AND s.id = ? AND s.deleted_at IS NULL",
            " WHERE s.project_id = ? AND s.deleted_at IS NULL ORDER BY s.active_at DESC, s.id DESC LIMIT ?",
            " WHERE s.project_id = ? AND s.deleted_at IS NULL AND s.pinned = ? AND s.title LIKE ? ESCAPE '\\'
           AND (s.active_at, s.id) < (?, ?) ORDER BY s.active_at DESC, s.id DESC LIMIT ?",
            " WHERE s.project_id = ? AND s.deleted_at IS NULL AND (s.active_at, s.id) > (?, ?)
           ORDER BY s.active_at ASC, s.id ASC LIMIT ?",
        ],
    ),
    ("WHERE c.project_id = ? AND c.deleted_at IS NULL", &[" ORDER BY c.created_at, c.id", " AND c.id = ?"]),
];

#[test]
fn every_statement_finds_its_rows_through_an_index() {
    let dir = tempfile::tempdir().unwrap();
    let (store, closing) = Store::open(dir.path(), None, Faults::default()).unwrap();
    drop(store);
    closing.wait();
    let conn = Connection::open(dir.path().join(store::FILE)).unwrap();
    let mut statements = Vec::new();
    collect(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut statements);
    assert!(statements.len() > 60, "{} statements are too few: does the search still work?", statements.len());

    let mut wrong = Vec::new();
    for sql in statements.iter().flat_map(|sql| completed(sql)) {
        for step in plan(&conn, &sql) {
            let allowed = ALLOWED.iter().any(|(part, plan, _)| sql.contains(part) && step.contains(plan));
            if is_slow(&step) && !allowed {
                wrong.push(format!("{step}\n    {sql}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn completed(sql: &str) -> Vec<String> {
    let known = COMPLETED.iter().find(|(end, _)| sql.ends_with(end));
    known.map_or_else(|| vec![sql.to_owned()], |(_, rests)| rests.iter().map(|rest| format!("{sql}{rest}")).collect())
}

fn is_slow(step: &str) -> bool {
    let whole_project = step.contains("(project_id=?)");
    step.starts_with("SCAN ") || step.contains("TEMP B-TREE") || step.contains("AUTOMATIC") || whole_project
}

fn plan(conn: &Connection, sql: &str) -> Vec<String> {
    let mut statement =
        conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let steps: rusqlite::Result<_> = statement.raw_query().mapped(|row| row.get("detail")).collect();
    steps.unwrap()
}

/// The string literals that are statements.
fn collect(dir: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            let source = std::fs::read_to_string(&path).unwrap();
            for text in literals(&source) {
                let verbs = ["SELECT ", "INSERT ", "UPDATE ", "DELETE "];
                if verbs.iter().any(|verb| text.starts_with(verb)) && !text.contains('{') {
                    found.push(text);
                }
            }
        }
    }
}

fn literals(source: &str) -> impl Iterator<Item = String> {
    source.split('"').skip(1).step_by(2).map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "))
}
