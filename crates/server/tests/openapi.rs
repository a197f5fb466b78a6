//! `openapi.json` in the repository is what the types say. To change it: `UPDATE=1 cargo test -p server --test openapi`.

use std::path::Path;

#[test]
fn openapi_json_is_what_the_types_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi.json");
    let made = serde_json::to_string_pretty(&server::router::openapi()).unwrap() + "\n";
    if std::env::var("UPDATE").is_ok() {
        std::fs::write(&path, &made).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == made, "openapi.json is stale: UPDATE=1 cargo test -p server --test openapi");
}

#[test]
fn every_operation_is_described() {
    let api = serde_json::to_value(server::router::openapi()).unwrap();
    let paths = api["paths"].as_object().unwrap();
    assert!(paths.len() >= 20, "{} paths", paths.len());
    let mut names = std::collections::HashSet::new();
    for (path, operations) in paths {
        for (method, operation) in operations.as_object().unwrap() {
            assert!(operation["summary"].is_string(), "{method} {path} has no summary");
            assert!(operation["tags"].is_array(), "{method} {path} has no tag");
            assert!(names.insert(operation["operationId"].to_string()), "{method} {path} shares its operationId");
            for (status, response) in operation["responses"].as_object().unwrap() {
                assert!(response["description"].is_string(), "{method} {path} does not describe {status}");
            }
        }
    }
}

/// What a generated client stumbles over first.
#[test]
fn every_reference_leads_somewhere() {
    fn walk(value: &serde_json::Value, api: &serde_json::Value) {
        match value {
            serde_json::Value::Object(fields) => {
                if let Some(target) = fields.get("$ref").and_then(|target| target.as_str()) {
                    assert!(api.pointer(target.trim_start_matches('#')).is_some(), "{target} is nowhere described");
                }
                fields.values().for_each(|field| walk(field, api));
            }
            serde_json::Value::Array(items) => items.iter().for_each(|item| walk(item, api)),
            _ => {}
        }
    }
    let api = serde_json::to_value(server::router::openapi()).unwrap();
    walk(&api, &api);
}
