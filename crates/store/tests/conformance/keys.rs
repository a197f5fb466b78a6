//! API keys.

use store::{Error, NewKey};

use crate::support::*;

#[test]
fn a_key_is_found_by_its_hash_until_it_is_revoked() {
    on_every_engine(|lab| {
        lab.create_key(new("k1", "p", 1)).wait().unwrap();
        lab.create_key(new("k2", "q", 2)).wait().unwrap();
        let found = |hash: u8| lab.key_by_hash([hash; 32]).wait().unwrap().map(|key| (key.id.to_string(), key.project));
        assert_eq!(found(1), Some(("k1".into(), id("p"))));
        assert_eq!(found(2), Some(("k2".into(), id("q"))));
        assert_eq!(found(3), None);
        lab.revoke_key(id("k1"), later(1)).wait().unwrap();
        lab.revoke_key(id("k1"), later(2)).wait().unwrap();
        assert_eq!(found(1), None);
        assert_eq!(found(2).unwrap().0, "k2");
        let listed: Vec<_> =
            lab.keys().wait().unwrap().into_iter().map(|key| (key.id.to_string(), key.revoked_at)).collect();
        assert_eq!(listed, [("k1".into(), Some(later(1))), ("k2".into(), None)]);
        assert!(matches!(lab.revoke_key(id("k3"), now()).wait(), Err(Error::KeyNotFound)));
    });
}

#[test]
fn no_two_keys_share_an_id_or_a_hash() {
    on_every_engine(|lab| {
        lab.create_key(new("k1", "p", 1)).wait().unwrap();
        let before = lab.dump();
        for taken in [new("k1", "p", 2), new("k1", "q", 2), new("k2", "q", 1)] {
            assert!(matches!(lab.create_key(taken).wait(), Err(Error::Taken)));
        }
        assert_eq!(lab.dump(), before);
    });
}

fn new(name: &str, project: &str, hash: u8) -> NewKey {
    NewKey { project: id(project), id: id(name), name: "n".into(), hash: [hash; 32], now: now() }
}
