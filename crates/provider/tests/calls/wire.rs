//! Streams as vendors send them, written down by hand after their documentation, and the deltas they become.

use std::{fmt::Write, path::Path};

use session::event::Delta;
use upstream::{Script, Step, Upstream};

use crate::helpers::*;

fn shown(answer: &Answer) -> String {
    let mut text = String::new();
    for delta in &answer.deltas {
        match delta {
            Delta::Usage(u) => writeln!(
                text,
                "usage: prompt {} (cached {}), completion {} (reasoning {})",
                u.prompt_tokens, u.cached_tokens, u.completion_tokens, u.reasoning_tokens
            ),
            other => writeln!(text, "{other:?}"),
        }
        .unwrap();
    }
    if let Some(failure) = &answer.failure {
        writeln!(text, "failed, {}: {}", failure.code.as_str(), failure.message).unwrap();
    }
    text
}

#[tokio::test]
async fn every_sample_becomes_the_same_deltas_however_it_is_cut() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire");
    let mut samples: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    samples.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    samples.sort();
    let upstream = Upstream::start().await;
    let providers = providers();
    for sample in samples {
        let name = sample.file_stem().unwrap().to_str().unwrap().to_owned();
        let provider = name.split('_').next().unwrap();
        let target = provider::Target { provider: provider.into(), ..target(&upstream.base_url()) };
        let body = std::fs::read_to_string(&sample).unwrap();
        let script = |body: &str| Script::sse().then(Step::body(body));
        let asked = async |script: Script| {
            upstream.respond(move |_| script.clone());
            // The fake upstream's port differs from run to run.
            shown(&ask(&providers, &target).await).replace(&upstream.addr().to_string(), "UPSTREAM")
        };
        let whole = asked(script(&body)).await;
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false, snapshot_path => "../wire" }, {
            insta::assert_snapshot!(name.as_str(), whole);
        });
        assert_eq!(asked(script(&body).chunks_of(1)).await, whole, "{name}, byte by byte");
        assert_eq!(asked(script(&body).chunks_of(7)).await, whole, "{name}, in sevens");
        assert_eq!(asked(script(&body.replace('\n', "\r\n"))).await, whole, "{name}, with CR LF");
        assert_eq!(asked(script(&body.replace("data: ", "data:"))).await, whole, "{name}, without spaces");
        assert_eq!(asked(script(body.trim_end())).await, whole, "{name}, without the last empty line");
        assert_eq!(asked(script(&format!("\u{feff}{body}"))).await, whole, "{name}, with a byte-order mark");
    }
}
