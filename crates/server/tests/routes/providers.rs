use scheduler::EnvKeys;
use serde_json::Value;

use crate::rig::Server;

fn named<'a>(list: &'a Value, id: &str) -> &'a Value {
    list["data"].as_array().unwrap().iter().find(|provider| provider["id"] == id).unwrap()
}

#[tokio::test]
async fn every_preset_says_where_it_is_and_whether_its_key_is_there() {
    let mut env = EnvKeys::default();
    env.insert("ZHIPU_API_KEY".into(), "sk-hidden".into(), vec!["https://open.bigmodel.cn".into()]);
    env.insert("OPENAI_API_KEY".into(), "sk-hidden".into(), vec!["https://proxy.example.com".into()]);
    let server = Server::with(env).await;
    let answer = server.get("/providers").await;
    assert!(!answer.text().contains("sk-hidden"));
    let list = answer.expect(200);

    let zhipu = named(&list, "zhipu");
    assert_eq!(zhipu["base_url"], "https://open.bigmodel.cn/api/paas/v4");
    assert_eq!((&zhipu["key_env"], &zhipu["key_env_set"]), (&"ZHIPU_API_KEY".into(), &true.into()));
    let openai = named(&list, "openai");
    assert_eq!(openai["key_env_set"], false, "set, and not for this origin");
    assert_eq!((&openai["name"], &openai["needs_key"]), (&"OpenAI".into(), &true.into()));
    assert!(openai["keys_url"].as_str().unwrap().starts_with("https://"));
    let ollama = named(&list, "ollama");
    assert_eq!(
        (&ollama["needs_key"], &ollama["key_env"], &ollama["keys_url"]),
        (&false.into(), &Value::Null, &Value::Null)
    );
    let echo = named(&list, "echo");
    assert_eq!((&echo["base_url"], &echo["model"]), (&Value::Null, &"echo".into()));
}

#[tokio::test]
async fn providers_are_told_to_who_has_a_key() {
    let server = Server::start().await;
    server.key("default").await;
    server.get("/providers").await.refused(401, "api_key_required", "");
}
