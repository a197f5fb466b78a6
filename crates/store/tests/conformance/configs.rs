//! Configs, their revisions, and their keys, which never come out.

use secrecy::ExposeSecret;
use session::config::Config;
use store::{Admit, ConfigChange, Error, NextUp};

use crate::support::*;

#[test]
fn a_change_makes_a_revision_and_leaves_the_earlier_ones() {
    on_every_engine(|lab| {
        let change = ConfigChange { config: Config { model: "n".into(), ..config() }, ..plain() };
        lab.change_config(project(), id("c"), 1, change.clone(), later(1)).wait().unwrap();
        assert!(matches!(lab.change_config(project(), id("c"), 1, change.clone(), now()).wait(), Err(Error::Taken)));
        let at = |revision| lab.config_at(project(), id("c"), revision).wait().unwrap().unwrap();
        assert_eq!((at(None).revision, at(None).config.model.as_str()), (2, "n"));
        assert_eq!((at(Some(1)).revision, at(Some(1)).config.model.as_str()), (1, "m"));
        assert!(lab.config_at(project(), id("c"), Some(3)).wait().unwrap().is_none());
        let read = lab.config(project(), id("c")).wait().unwrap().unwrap();
        assert_eq!((read.revision, read.created_at, read.updated_at), (2, now(), later(1)));
        assert!(matches!(lab.change_config(project(), id("x"), 1, change, now()).wait(), Err(Error::ConfigNotFound)));
        let again = lab.create_config(project(), id("c"), plain(), None, now()).wait();
        assert!(matches!(again, Err(Error::Taken)));
    });
}

#[test]
fn a_turn_keeps_the_revision_that_was_current_when_it_started() {
    on_every_engine(|lab| {
        let first = lab.start(ask_new("s", "t1"));
        lab.queue_up(ask("s", "t2"));
        lab.change_config(project(), id("c"), 1, plain(), now()).wait().unwrap();
        let NextUp::Started(second) = lab.end(finish(&first, completed("a"))).next else { panic!() };
        assert_eq!(second.config.unwrap().revision, 2);
        let revisions = ["t1", "t2"].map(|turn| lab.read_turn(turn).config_revision);
        assert_eq!(revisions, [Some(1), Some(2)]);
    });
}

#[test]
fn a_key_stays_with_the_origin_it_was_given_for() {
    on_every_engine(|lab| {
        let with = |origin: Option<&str>, key: Option<Option<&str>>| ConfigChange {
            origin: origin.map(Into::into),
            key: key.map(|key| key.map(Into::into)),
            ..plain()
        };
        lab.create_config(project(), id("d"), with(Some("https://a"), Some(Some("sk-1"))), None, now()).wait().unwrap();
        let key = || {
            let found = lab.config_at(project(), id("d"), None).wait().unwrap().unwrap();
            assert_eq!(found.key.is_some(), lab.config(project(), id("d")).wait().unwrap().unwrap().has_key);
            found.key.map(|key| (key.secret.expose_secret().to_owned(), key.origin))
        };
        let change = |from, change| lab.change_config(project(), id("d"), from, change, now()).wait().unwrap();
        let held = |key: &str, origin: &str| Some((key.to_owned(), origin.to_owned()));
        assert_eq!(key(), held("sk-1", "https://a"));
        change(1, with(Some("https://a"), None));
        assert_eq!(key(), held("sk-1", "https://a"), "kept");
        change(2, with(Some("https://b"), None));
        assert_eq!(key(), None, "another origin");
        change(3, with(Some("https://b"), Some(Some("sk-2"))));
        assert_eq!(key(), held("sk-2", "https://b"));
        change(4, with(None, None));
        assert_eq!(key(), None, "no origin");
        change(5, with(Some("https://b"), Some(Some("sk-3"))));
        change(6, with(Some("https://b"), Some(None)));
        assert_eq!(key(), None, "dropped");

        let started = lab.start(Admit { config: Some(id("d")), ..ask_new("s", "t1") });
        assert!(started.config.unwrap().key.is_none());
    });
}

#[test]
fn a_deleted_config_serves_nothing_new_and_its_key_is_gone() {
    on_every_engine(|lab| {
        let keyed = ConfigChange { origin: Some("https://a".into()), key: Some(Some("sk-1".into())), ..plain() };
        lab.create_config(project(), id("d"), keyed, None, later(1)).wait().unwrap();
        let first = lab.start(Admit { config: Some(id("d")), ..ask_new("s", "t1") });
        lab.queue_up(Admit { config: Some(id("d")), ..ask("s", "t2") });
        lab.delete_config(project(), id("d"), now()).wait().unwrap();
        assert!(matches!(lab.delete_config(project(), id("d"), now()).wait(), Err(Error::ConfigNotFound)));
        assert!(lab.config(project(), id("d")).wait().unwrap().is_none());
        let refused = lab.admit(Admit { config: Some(id("d")), ..ask("s", "t3") }).wait();
        assert!(matches!(refused, Err(Error::ConfigNotFound)));
        let change = lab.change_config(project(), id("d"), 1, plain(), now()).wait();
        assert!(matches!(change, Err(Error::ConfigNotFound)));

        let NextUp::Started(second) = lab.end(finish(&first, completed("a"))).next else { panic!() };
        assert!(second.config.is_none(), "the owner fails it");
        let at = lab.config_at(project(), id("d"), Some(1)).wait().unwrap().unwrap();
        assert!(at.deleted && at.key.is_none(), "its revisions stay, for the prompts made with them");
        assert_eq!(lab.prompt(project(), id("t1")).wait().unwrap().unwrap().config.revision, 1);

        lab.create_config(project(), id("d"), plain(), None, now()).wait().unwrap();
        assert_eq!(lab.config(project(), id("d")).wait().unwrap().unwrap().revision, 2, "no revision is made twice");
    });
}

#[test]
fn there_is_a_default_as_long_as_there_is_a_config() {
    on_every_engine(|lab| {
        let default = || {
            let configs = lab.configs(project()).wait().unwrap();
            let defaults = configs.into_iter().filter(|config| config.is_default);
            defaults.map(|config| config.id.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(default(), ["c"]);
        lab.create_config(project(), id("d"), plain(), None, later(1)).wait().unwrap();
        assert_eq!(default(), ["c"], "the first one");
        let make = ConfigChange { make_default: true, ..plain() };
        lab.create_config(project(), id("e"), make.clone(), None, later(2)).wait().unwrap();
        assert_eq!(default(), ["e"]);
        lab.change_config(project(), id("d"), 1, make, later(3)).wait().unwrap();
        assert_eq!(default(), ["d"]);
        lab.delete_config(project(), id("d"), now()).wait().unwrap();
        assert_eq!(default(), ["c"], "the oldest that is left");
        lab.delete_config(project(), id("e"), now()).wait().unwrap();
        assert_eq!(default(), ["c"]);
        lab.delete_config(project(), id("c"), now()).wait().unwrap();
        assert!(default().is_empty());
        assert!(matches!(lab.admit(ask_new("s", "t1")).wait(), Err(Error::ConfigNotFound)));
        lab.create_config(project(), id("f"), plain(), None, now()).wait().unwrap();
        assert_eq!(default(), ["f"]);
    });
}

#[test]
fn one_config_at_most_makes_the_titles() {
    on_every_engine(|lab| {
        let makers = || {
            let configs = lab.configs(project()).wait().unwrap();
            let makers = configs.into_iter().filter(|config| config.makes_titles);
            makers.map(|config| config.id.to_string()).collect::<Vec<_>>()
        };
        let makes = || lab.title_config(project(), id("c")).wait().unwrap().map(|config| config.id.to_string());
        let with = |titles| ConfigChange { titles, ..plain() };
        assert_eq!((makers(), makes()), (vec![], Some("c".into())), "the session's own");
        lab.create_config(project(), id("d"), with(Some(true)), None, now()).wait().unwrap();
        lab.create_config(project(), id("e"), with(Some(true)), None, now()).wait().unwrap();
        assert_eq!((makers(), makes()), (vec!["e".into()], Some("e".into())));
        lab.change_config(project(), id("e"), 1, with(None), now()).wait().unwrap();
        lab.change_config(project(), id("d"), 1, with(Some(false)), now()).wait().unwrap();
        assert_eq!(makers(), ["e"], "another one's no is not its own");
        lab.change_config(project(), id("e"), 2, with(Some(false)), now()).wait().unwrap();
        assert!(makers().is_empty());
        lab.change_config(project(), id("d"), 2, with(Some(true)), now()).wait().unwrap();
        lab.delete_config(project(), id("d"), now()).wait().unwrap();
        assert_eq!((makers(), makes()), (vec![], Some("c".into())));
        lab.delete_config(project(), id("c"), now()).wait().unwrap();
        assert_eq!(makes(), None);
    });
}

fn plain() -> ConfigChange {
    ConfigChange { config: config(), origin: None, key: None, make_default: false, titles: None }
}
