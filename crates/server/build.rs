//! A released binary has the page inside: it is built again when the web build has written anew. Where there is no page
//! yet, one that appears is noticed by what it appears in.

use std::path::Path;

fn main() {
    let watched = match std::env::var("PROFILE").as_deref() {
        Ok("release") => ["../../web/dist", "../../web"].into_iter().find(|path| Path::new(path).exists()),
        // A debug build reads the files when it runs.
        _ => None,
    };
    println!("cargo::rerun-if-changed={}", watched.unwrap_or("build.rs"));
}
