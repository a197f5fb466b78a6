//! A directory for one server: its data, its log, and looks into its database from outside.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use tempfile::TempDir;

pub struct Home {
    dir: TempDir,
}

impl Home {
    pub fn new() -> Home {
        Home { dir: tempfile::Builder::new().prefix("turnwise-").tempdir().unwrap() }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    pub fn log_file(&self) -> PathBuf {
        self.path().join("server.log")
    }

    /// Everything that servers here have written to standard error.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// What the `sqlite3` command line tool prints for a query, as somebody with a shell would ask it.
    pub fn sqlite3(&self, arguments: &[&str], query: &str) -> String {
        let database = self.data().join("turnwise.db");
        let ran = Command::new("sqlite3").arg("-readonly").args(arguments).arg(&database).arg(query).output();
        let output = ran.expect("the sqlite3 command line tool is installed");
        assert!(output.status.success(), "sqlite3 {query}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Rows as JSON objects.
    pub fn rows(&self, query: &str) -> Vec<Value> {
        let printed = self.sqlite3(&["-json"], query);
        if printed.trim().is_empty() {
            return Vec::new();
        }
        serde_json::from_str(&printed).unwrap()
    }

    /// The one number that a query gives.
    pub fn number(&self, query: &str) -> u64 {
        self.sqlite3(&[], query).trim().parse().unwrap()
    }

    /// Whether these bytes stand in any file below here: the database, its log, what was logged.
    pub fn files_with(&self, needle: &[u8]) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut open = vec![self.path().to_owned()];
        while let Some(dir) = open.pop() {
            for entry in std::fs::read_dir(dir).unwrap().map(Result::unwrap) {
                let kind = entry.file_type().unwrap();
                if kind.is_dir() {
                    open.push(entry.path());
                } else if kind.is_file() {
                    let bytes = std::fs::read(entry.path()).unwrap();
                    if bytes.windows(needle.len()).any(|window| window == needle) {
                        found.push(entry.path());
                    }
                }
            }
        }
        found
    }
}
