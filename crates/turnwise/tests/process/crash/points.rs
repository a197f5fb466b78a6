//! Killed at every stop-point: before and after each commit, in the middle of things and while it recovers.

use std::{collections::BTreeSet, path::Path};

use super::{
    checker::check,
    story::{self, Log},
};
use crate::support::{Home, Lab, Server, Setup, at_length};

/// Kills a server at each pass of each of these verbs, one after another on the same data, and checks after each.
async fn survive(verbs: &[&str], passes: u32) {
    let mut lab = Lab::start().await;
    lab.upstream.respond(story::script);
    for verb in verbs {
        for moment in ["before_commit", "after_commit"] {
            for pass in 1..=passes {
                let point = format!("{verb}.{moment}:{pass}");
                eprintln!("{point}");
                let log = die_at(&mut lab, &point, &point).await;
                lab.restart().await;
                check(&lab, &log).await;
            }
        }
    }
}

/// Tells a story until the server dies at `point`. The names in it begin with `round`.
async fn die_at(lab: &mut Lab, point: &str, round: &str) -> Log {
    lab.restart_with_faults(&format!("{point}=kill")).await;
    let round = round.replace(['.', ':'], "-");
    let log = story::tell(&lab.client, &lab.upstream, &round).await;
    lab.server.killed_itself().await;
    for n in 0..3 {
        lab.upstream.open(&format!("{round}-s{n}-m1"));
    }
    log
}

/// What the store calls its verbs, each with a stop-point before and after its commit, and what else has a pair of them.
fn named_in(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in folder.read_dir().unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            named_in(&entry.path(), names);
            continue;
        }
        let source = std::fs::read_to_string(entry.path()).unwrap();
        for call in ["start_verb(", "faults.at("] {
            let given = source.split(call).skip(1).filter_map(|given| given.trim_start().strip_prefix('"'));
            names.extend(given.map(|given| given.split('"').next().unwrap().to_owned()));
        }
    }
}

#[test]
fn no_stop_point_is_forgotten() {
    let mut names = BTreeSet::new();
    named_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../store/src"), &mut names);
    assert!(names.len() > 20, "this is not how the store names its verbs any more: {names:?}");
    let tests = concat!(include_str!("points.rs"), include_str!("upkeep.rs"), include_str!("../chains.rs"));
    names.retain(|name| !tests.contains(&format!("\"{name}\"")) && !tests.contains(&format!("\"{name}.")));
    assert!(names.is_empty(), "nobody is killed around {names:?}");
}

fn passes() -> u32 {
    if at_length() { 6 } else { 2 }
}

#[tokio::test]
async fn sends_survive_a_kill_around_their_admission() {
    survive(&["admit"], passes() * 2).await;
}

#[tokio::test]
async fn answers_survive_a_kill_around_their_segments() {
    survive(&["segment"], passes()).await;
}

#[tokio::test]
async fn turns_survive_a_kill_around_their_end() {
    survive(&["finish"], passes() * 2).await;
}

#[tokio::test]
async fn sessions_survive_a_kill_around_their_changes() {
    survive(&["create_session", "change_session", "delete_session", "restore_session", "fork"], 1).await;
}

#[tokio::test]
async fn queues_and_configs_survive_a_kill_around_their_changes() {
    survive(&["cancel", "edit", "resume", "create_config", "change_config", "delete_config"], 1).await;
}

#[tokio::test]
async fn a_server_killed_while_it_recovers_recovers_the_next_time() {
    let mut lab = Lab::start().await;
    lab.upstream.respond(story::script);
    for point in [
        "take_over.before_commit",
        "take_over.after_commit",
        "start.before_commit",
        "start.after_commit",
        "start.after_commit:2",
    ] {
        eprintln!("{point}");
        let log = die_at(&mut lab, "finish.before_commit", point).await;
        let arguments = ["--backoff-ms", "5"];
        let mut dying = Setup::new(&lab.home).args(&arguments).faults(&format!("{point}=kill")).spawn();
        dying.killed_itself().await;
        lab.restart().await;
        check(&lab, &log).await;
    }
}

#[tokio::test]
async fn a_server_killed_in_its_first_start_starts_the_next_time() {
    for point in
        ["migrate.before_commit", "migrate.after_commit", "create_config.before_commit", "create_config.after_commit"]
    {
        let home = Home::new();
        Setup::new(&home).faults(&format!("{point}=kill")).spawn().killed_itself().await;
        let server = Server::start(&home).await;
        let answer = server.client().post("/chat", &serde_json::json!({"message": "hi"})).await.expect(200);
        assert_eq!(answer["status"], "completed", "{point}");
    }
}
