//! Sign-ins: what a browser keeps in place of an API key. Nothing of them is stored; the vault's key vouches for them.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use session::{id::KeyId, time::Time};

use crate::Store;

/// No place of an upstream key reads so: those have line breaks.
const USE: &[u8] = b"turnwise sign-in";

/// By whose key somebody signed in, and until when that counts. The key may have been revoked since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    pub key: KeyId,
    pub until: Time,
}

impl Store {
    /// As text of `A-Z a-z 0-9 _ -` that nobody else can make or read.
    pub fn seal_sign_in(&self, sign_in: &SignIn) -> String {
        let text = format!("{}\n{}", sign_in.key, sign_in.until);
        URL_SAFE_NO_PAD.encode(self.inner.vault.seal_for(text.as_bytes(), USE))
    }

    /// `None` for what this server has not sealed as one.
    pub fn unseal_sign_in(&self, sealed: &str) -> Option<SignIn> {
        let text = self.inner.vault.unseal_for(&URL_SAFE_NO_PAD.decode(sealed).ok()?, USE)?;
        let (key, until) = std::str::from_utf8(&text).ok()?.split_once('\n')?;
        Some(SignIn { key: key.parse().ok()?, until: until.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Faults, vault::Place};

    #[test]
    fn a_sign_in_opens_as_one_and_nothing_else_does() {
        let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (store, _closing) = Store::open(dir.path(), None, Faults::default()).unwrap();
        let (elsewhere, _closing_too) = Store::open(other.path(), None, Faults::default()).unwrap();
        let sign_in = SignIn { key: "k1".parse().unwrap(), until: Time::from_ms(1_000) };
        let sealed = store.seal_sign_in(&sign_in);
        assert_eq!(store.unseal_sign_in(&sealed), Some(sign_in.clone()));
        assert_ne!(store.seal_sign_in(&sign_in), sealed);
        assert_eq!(elsewhere.unseal_sign_in(&sealed), None, "another server's key");

        let (project, config) = ("p".parse().unwrap(), "c".parse().unwrap());
        let place = Place { project: &project, config: &config, origin: "https://a" };
        let upstream_key = store.inner.vault.seal(&"k1\n1970-01-01T00:00:01.000Z".into(), &place);
        assert_eq!(store.unseal_sign_in(&URL_SAFE_NO_PAD.encode(upstream_key)), None, "sealed for another use");
        let mut changed = sealed.into_bytes();
        changed[40] ^= 1;
        for forged in [std::str::from_utf8(&changed).unwrap(), "", "AAAA", "tw_key", "k1\n1970-01-01T00:00:01.000Z"] {
            assert_eq!(store.unseal_sign_in(forged), None, "{forged}");
        }
    }
}
