//! Summaries that a client keeps: nothing of them is stored, and only their own project's server can read them.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use session::id::ProjectId;

use crate::Store;

impl Store {
    /// As text of `A-Z a-z 0-9 _ -`.
    pub fn seal_summary(&self, project: &ProjectId, summary: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.inner.vault.seal_for(summary.as_bytes(), &purpose(project)))
    }

    /// `None` for what this server has not sealed as one, for this project.
    pub fn unseal_summary(&self, project: &ProjectId, sealed: &str) -> Option<String> {
        let opened = self.inner.vault.unseal_for(&URL_SAFE_NO_PAD.decode(sealed).ok()?, &purpose(project))?;
        String::from_utf8(opened).ok()
    }
}

/// No upstream key's place reads so: those have two line breaks.
fn purpose(project: &ProjectId) -> Vec<u8> {
    format!("turnwise summary\n{project}").into_bytes()
}

#[cfg(test)]
mod tests {
    use crate::{Faults, SignIn, Store};

    #[test]
    fn a_summary_opens_in_its_own_project_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (store, _closing) = Store::open(dir.path(), None, Faults::default()).unwrap();
        let (p, q) = ("p".parse().unwrap(), "q".parse().unwrap());
        let sealed = store.seal_summary(&p, "short");
        assert_eq!(store.unseal_summary(&p, &sealed).as_deref(), Some("short"));
        assert_eq!(store.unseal_summary(&q, &sealed), None);
        let sign_in = SignIn { key: "k".parse().unwrap(), until: session::time::Time::from_ms(0) };
        for other in [store.seal_sign_in(&sign_in).as_str(), "short", ""] {
            assert_eq!(store.unseal_summary(&p, other), None, "{other}");
        }
    }
}
