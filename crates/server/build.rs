//! A released binary has the page inside: it is built again when the web build has written anew. Where there is no page
//! yet, one that appears is noticed by what it appears in.

use std::path::Path;

fn main() {
    let released = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let watched = match Path::new("../../web/dist").exists() {
        true if released => "../../web/dist",
        // A debug build reads the files when it runs.
        true => "build.rs",
        false if Path::new("../../web").exists() => "../../web",
        false => "build.rs",
    };
    println!("cargo::rerun-if-changed={watched}");
}
