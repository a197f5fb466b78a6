//! The official OpenAI client for Python, unchanged, over a real socket. It is installed below `target/` at the first run, as
//! pinned in `tests/openai_sdk/requirements.lock`; what it does stands in `drive.py` beside that.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use upstream::{Request, Script};

use crate::support::Lab;

const HOME: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/openai_sdk");

fn script(request: &Request) -> Script {
    let last = request.json()["messages"].as_array().unwrap().last().unwrap().clone();
    match (last["role"].as_str().unwrap(), last["content"].as_str().unwrap_or_default()) {
        ("tool", result) => Script::text(&format!("the tool said {result}")),
        (_, "use tools") => Script::calling("call_1", "look", r#"{"where": "here"}"#),
        (_, "slowly") => Script::deltas(["one ", "two"]).token_delay(Duration::from_secs(60)),
        (_, said) => Script::deltas(format!("answer to {said}").split_inclusive(' ').map(str::to_owned)),
    }
}

#[tokio::test]
async fn the_official_python_client_works_unchanged() {
    let lab = Lab::start().await;
    lab.upstream.respond(script);
    let url = format!("http://{}/v1", lab.server.addr());
    let drive = move || run(Command::new(python()).arg(format!("{HOME}/drive.py")).arg(url).env("NO_PROXY", "*"));
    let output = tokio::task::spawn_blocking(drive).await.unwrap();
    assert_eq!(output.lines().filter(|line| line.starts_with("ok ")).count(), 7, "{output}");
}

/// The client's own Python, with the client in it.
fn python() -> PathBuf {
    let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/openai-sdk");
    let (lock, stamp) = (format!("{HOME}/requirements.lock"), venv.join("requirements.lock"));
    let python = venv.join("bin/python");
    let installed = std::fs::read(&stamp).is_ok_and(|stamp| stamp == std::fs::read(&lock).unwrap());
    if !installed {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv));
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--requirement", &lock]));
        std::fs::copy(&lock, &stamp).unwrap();
    }
    python
}

fn run(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(status.success(), "{command:?}\n{}{}", said(&stdout), said(&stderr));
    said(&stdout)
}
