//! What the documents say of the tree is true of it: names in ARCHITECTURE.md exist, crates depend only downwards, and
//! every direct dependency has its line in docs/dependencies.md.

#![expect(clippy::unwrap_used, reason = "a test that cannot read the tree has nothing to say")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use toml::Table;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Everything that names are looked up in.
struct Tree {
    /// Relative to the root, folders with a slash at their end.
    paths: Vec<String>,
    /// Path and text of every source file.
    sources: Vec<(String, String)>,
    sql: String,
}

impl Tree {
    fn new() -> Tree {
        let mut tree = Tree { paths: Vec::new(), sources: Vec::new(), sql: String::new() };
        for top in ["crates", "bench", "docs", "scripts", "web/src", "web/stories"] {
            tree.take(top);
        }
        let files = root().read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        tree.paths.extend(files.filter(|name| root().join(name).is_file()));
        tree
    }

    fn take(&mut self, folder: &str) {
        self.paths.push(format!("{folder}/"));
        for entry in root().join(folder).read_dir().unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let path = format!("{folder}/{name}");
            if root().join(&path).is_dir() {
                self.take(&path);
                continue;
            }
            if name.ends_with(".rs") && !path.ends_with("tests/architecture.rs") {
                self.sources.push((path.clone(), read(&path)));
            } else if name.ends_with(".sql") {
                self.sql += &read(&path);
            }
            self.paths.push(path);
        }
    }

    /// Whether `name` stands for something that is there.
    fn has(&self, name: &str) -> bool {
        if name.is_empty() {
            return false;
        }
        if let Some((method, path)) = name.split_once(char::is_whitespace) {
            return match method {
                "make" => has_word_at(&read("Makefile"), path, "", ":"),
                "GET" | "POST" | "PATCH" | "DELETE" => self.has_route(path),
                _ => false,
            };
        }
        if name.starts_with('/') {
            return self.has_route(name);
        }
        if name.contains('/') || name.rsplit_once('.').is_some_and(|(_, ending)| ENDINGS.contains(&ending)) {
            let folder = format!("{}/", name.trim_end_matches('/'));
            return self.paths.iter().any(|path| {
                let ends = |with: &str| path == with || path.ends_with(&format!("/{with}"));
                ends(name) || ends(&folder)
            });
        }
        match name.split_once("::") {
            Some((of, what)) => self.has_in(of, what),
            None => self.has_plain(name),
        }
    }

    fn has_route(&self, path: &str) -> bool {
        let declared = [format!("path = \"{path}\""), format!(".route(\"{path}\"")];
        self.sources.iter().any(|(_, text)| declared.iter().any(|way| text.contains(way)))
    }

    /// `of` is a crate, a module or a type.
    fn has_in(&self, of: &str, what: &str) -> bool {
        if what.contains("::") {
            return false;
        }
        self.sources.iter().any(|(path, text)| {
            let in_module = path.starts_with(&format!("crates/{of}/"))
                || path.ends_with(&format!("/{of}.rs"))
                || path.contains(&format!("/{of}/"));
            let in_type = of.starts_with(|c: char| c.is_uppercase()) && is_about(text, of);
            (in_module && defines(text, what)) || (in_type && (defines(text, what) || has_variant(text, what)))
        })
    }

    /// A crate, a definition anywhere, or a table or column.
    fn has_plain(&self, name: &str) -> bool {
        let a_crate = root().join("crates").join(name).is_dir() || root().join(name).is_dir();
        let a_definition = || self.sources.iter().any(|(_, text)| defines(text, name));
        let in_sql = || self.sql.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name);
        let a_field = || self.sources.iter().any(|(_, text)| has_word_at(text, name, "", ": "));
        a_crate || a_definition() || in_sql() || (name.contains('_') && a_field())
    }
}

const ENDINGS: [&str; 6] = ["rs", "md", "toml", "json", "sql", "svg"];

/// Whether `before` + `name` + `after` stands somewhere, with no more of a word around the name.
fn has_word_at(text: &str, name: &str, before: &str, after: &str) -> bool {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    let wanted = format!("{before}{name}{after}");
    text.match_indices(&wanted).any(|(at, _)| {
        let left = text[..at].chars().next_back();
        let right = text[at + wanted.len()..].chars().next();
        let open_right = after.is_empty() && right.is_some_and(part_of_word);
        !left.is_some_and(part_of_word) && !open_right
    })
}

fn defines(text: &str, name: &str) -> bool {
    ["struct ", "enum ", "trait ", "fn ", "type ", "const ", "static ", "mod ", "macro_rules! "]
        .iter()
        .any(|keyword| has_word_at(text, name, keyword, ""))
}

/// Whether a file defines this type or has an `impl` of it.
fn is_about(text: &str, name: &str) -> bool {
    let of_trait = format!(" for {name}");
    let implements =
        |line: &str| line.starts_with("impl") && (has_word_at(line, name, "", "") || line.contains(&of_trait));
    defines(text, name) || text.lines().any(implements)
}

fn has_variant(text: &str, name: &str) -> bool {
    let is_variant = |line: &str| {
        let line = line.trim_start();
        line.strip_prefix(name).is_some_and(|rest| rest.starts_with([',', ' ', '(', '{']))
    };
    text.lines().any(is_variant)
}

/// What stands in back-ticks, code blocks aside.
fn names(text: &str) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    for (at, block) in text.split("```").enumerate() {
        if at % 2 == 0 {
            names.extend(block.split('`').skip(1).step_by(2));
        }
    }
    names
}

#[test]
fn every_name_in_the_architecture_still_exists() {
    let tree = Tree::new();
    let text = read("ARCHITECTURE.md");
    let gone: Vec<&str> = names(&text).into_iter().filter(|name| !tree.has(name)).collect();
    assert!(gone.is_empty(), "ARCHITECTURE.md names what is not there (any more): {gone:?}");
    let lines = text.lines().count();
    assert!(lines <= 150, "ARCHITECTURE.md has {lines} lines; at most 150 are read");
}

#[test]
fn names_that_do_not_exist_are_found_out() {
    let tree = Tree::new();
    let made_up = [
        "Schedule",
        "Scheduler::admits",
        "store::runs",
        "crates/core",
        "sched.rs",
        "GET /turn/{id}",
        "make everything",
        "cargo test",
        "chat_turn",
        "",
    ];
    for name in made_up {
        assert!(!tree.has(name), "{name:?} passes for something that exists");
    }
}

/// Each crate, the crates of ours that it may name, and libraries that it must not.
const DIRECTIONS: &[(&str, &[&str], &[&str])] = &[
    ("session", &[], &["tokio", "rusqlite", "hyper", "http", "axum", "tracing"]),
    ("store", &["session"], &["hyper", "axum", "http", "rustls"]),
    ("provider", &["session"], &["store", "rusqlite", "axum"]),
    ("scheduler", &["session", "store", "provider"], &["axum", "hyper", "http", "rusqlite"]),
    ("server", &["session", "store", "provider", "scheduler"], &["rusqlite", "rustls"]),
    ("turnwise", &["session", "store", "provider", "scheduler", "server"], &["rusqlite"]),
    ("upstream", &[], &["hyper", "axum"]),
];

/// Tests of any crate may talk to the fake model server.
const FOR_TESTS: &str = "upstream";

fn manifest(path: &str) -> Table {
    read(path).parse().unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn dependencies(manifest: &Table, kind: &str) -> BTreeSet<String> {
    manifest
        .get(kind)
        .and_then(|found| found.as_table())
        .map_or_else(BTreeSet::new, |found| found.keys().cloned().collect())
}

#[test]
fn crates_depend_only_downwards() {
    let folders =
        root().join("crates").read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let crates: BTreeSet<String> = folders.collect();
    let listed: BTreeSet<String> = DIRECTIONS.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!(crates, listed, "a crate wants a line in DIRECTIONS, and a sentence that says what it must not know");

    for (name, may, must_not) in DIRECTIONS {
        let manifest = manifest(&format!("crates/{name}/Cargo.toml"));
        assert_eq!(manifest["package"]["name"].as_str(), Some(*name), "a crate has the name of its folder");
        let uses = dependencies(&manifest, "dependencies");
        for ours in uses.intersection(&crates) {
            assert!(may.contains(&ours.as_str()), "{name} must not depend on {ours}");
        }
        for library in *must_not {
            assert!(!uses.contains(*library), "{name} must not depend on {library}");
        }
        for ours in dependencies(&manifest, "dev-dependencies").intersection(&crates) {
            let allowed = may.contains(&ours.as_str()) || ours == FOR_TESTS;
            assert!(allowed, "tests of {name} must not depend on {ours}");
        }
    }
}

#[test]
fn every_direct_dependency_says_what_it_is_for() {
    let document = read("docs/dependencies.md");
    let said = names(&document);
    let workspace = manifest("Cargo.toml");
    let members = DIRECTIONS.iter().map(|(name, ..)| format!("crates/{name}")).chain(["bench".into()]);
    for member in members {
        let manifest = manifest(&format!("{member}/Cargo.toml"));
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for name in dependencies(&manifest, kind) {
                let ours =
                    workspace["workspace"]["dependencies"].get(&name).is_some_and(|entry| entry.get("path").is_some());
                assert!(
                    ours || said.contains(name.as_str()),
                    "{member} depends on {name}: say why in docs/dependencies.md"
                );
            }
        }
    }
}
