//! The official clients of OpenAI's API and of Anthropic's, unchanged, over a real socket. Each is installed below
//! `target/` at the first run, as pinned in a lock file of its own; what it does stands beside that, in `drive.py` or
//! `drive.mjs`.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use upstream::{Request, Script};

use crate::support::Lab;

#[tokio::test]
async fn the_official_python_client_works_unchanged() {
    drive("openai_sdk", with_python, 18).await;
}

#[tokio::test]
async fn the_official_node_client_works_unchanged() {
    drive("openai_node", with_node, 14).await;
}

#[tokio::test]
async fn openai_agents_runs_unchanged() {
    drive("openai_agents", with_python, 7).await;
}

#[tokio::test]
async fn chat_completions_by_the_official_python_client() {
    drive("openai_chat", with_python, 10).await;
}

#[tokio::test]
async fn anthropics_official_python_client_works_unchanged() {
    drive("anthropic_sdk", with_python, 11).await;
}

/// Runs a client's stories against a server of their own. Each says that it went well.
async fn drive(name: &'static str, installed: fn(&Path, &Path) -> Command, stories: usize) {
    let lab = Lab::start().await;
    lab.upstream.respond(script);
    let url = format!("http://{}/v1", lab.server.addr());
    let driven = tokio::task::spawn_blocking(move || {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let target = root.join("../../target").join(name.replace('_', "-"));
        run(installed(&root.join("tests").join(name), &target).arg(url).env("NO_PROXY", "*"))
    });
    let output = driven.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
    assert_eq!(output.lines().filter(|line| line.starts_with("ok ")).count(), stories, "{output}");
}

fn script(request: &Request) -> Script {
    let messages = request.messages();
    let (role, said) = messages.last().unwrap();
    match (role.as_str(), said.as_str()) {
        ("tool", result) => Script::text(&format!("the tool said {result}")),
        (_, "use tools") => Script::calling("call_1", "look", r#"{"where": "here"}"#).reasoning("I should look"),
        (_, "slowly") => Script::deltas(["one ", "two"]).token_delay(Duration::from_secs(60)),
        (_, "think") => Script::text("well thought").reasoning("let me think"),
        (_, "refuse") => Script::text("").refusal("I will not"),
        (_, "break off") => Script::text("not all").finish("length"),
        (_, "as json") => Script::text(r#"{"city": "Oslo", "degrees": -3}"#),
        (_, "break") => Script::deltas(["half of", " it"]).no_done().finishes(&[]),
        (_, "fail") => Script::error(400, "invalid_value", "the model says no"),
        (_, "recall") => {
            let said = messages.iter().map(|(role, text)| format!("{role}: {text}"));
            Script::text(&said.collect::<Vec<_>>().join("\n"))
        }
        (_, said) => Script::deltas(format!("answer to {said}").split_inclusive(' ').map(str::to_owned)),
    }
}

/// Python with what `requirements.lock` names, and the script that drives it. It leaves nothing beside the script.
fn with_python(home: &Path, target: &Path) -> Command {
    let python = target.join("bin/python");
    once(&home.join("requirements.lock"), target, |lock| {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(target));
        install(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--requirement"]).arg(lock));
    });
    let mut command = Command::new(python);
    command.arg("-B").arg(home.join("drive.py"));
    command
}

/// Node beside what `package-lock.json` names: a script finds its packages where it lies.
fn with_node(home: &Path, target: &Path) -> Command {
    once(&home.join("package-lock.json"), target, |_| {
        std::fs::create_dir_all(target).unwrap();
        for file in ["package.json", "package-lock.json", ".npmrc"] {
            std::fs::copy(home.join(file), target.join(file)).unwrap();
        }
        install(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(target));
    });
    std::fs::copy(home.join("drive.mjs"), target.join("drive.mjs")).unwrap();
    let mut command = Command::new("node");
    command.arg(target.join("drive.mjs"));
    command
}

/// Installs what a lock file names, unless that is what lies there.
fn once(lock: &Path, target: &Path, install: impl FnOnce(&Path)) {
    let stamp: PathBuf = target.join("installed.lock");
    let installed = std::fs::read(&stamp).is_ok_and(|stamp| stamp == std::fs::read(lock).unwrap());
    if !installed {
        install(lock);
        std::fs::copy(lock, &stamp).unwrap();
    }
}

/// Without the client there is nothing to show, and that is a failure, not a pass.
fn install(command: &mut Command) {
    let Output { status, stdout, stderr } = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        status.success(),
        "turnwise: an official client could not be installed, so nothing is shown of it. It comes from its package \
         registry, by the ordinary client: see to that, and run the test again.\n{command:?}\n{}{}",
        said(&stdout),
        said(&stderr)
    );
}

fn run(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(status.success(), "{command:?}\n{}{}", said(&stdout), said(&stderr));
    said(&stdout)
}
