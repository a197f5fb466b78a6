//! Secrets at rest. Upstream keys are sealed with XChaCha20-Poly1305 and bound to their project, config and origin, so
//! that a sealed key moved to another row, or a config pointed elsewhere, opens nothing. API keys are only hashed.

use std::{io::Write, os::unix::fs::OpenOptionsExt, path::Path};

use base64::{Engine, engine::general_purpose::STANDARD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305,
    aead::{Aead, Payload},
};
use secrecy::{ExposeSecret, SecretString};
use session::id::{ConfigId, ProjectId};

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;

#[derive(Clone)]
pub struct Vault(XChaCha20Poly1305);

#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    #[error("the sealing key must be 32 bytes in base64 (44 characters): {0}")]
    BadKey(&'static str),
    #[error("the sealing key file {path} can be read by others: chmod 600 it")]
    Readable { path: String },
    #[error("the sealing key file {path}: {source}")]
    Io { path: String, source: std::io::Error },
}

impl Vault {
    /// The key from a setting, else from `path`, which is made with mode 0600 when it is not there.
    pub fn open(setting: Option<&SecretString>, path: &Path) -> Result<Vault, VaultError> {
        let text = match setting {
            Some(text) => text.clone(),
            None => SecretString::from(read_or_make(path)?),
        };
        let bytes = STANDARD.decode(text.expose_secret().trim()).map_err(|_| VaultError::BadKey("not base64"))?;
        let key: [u8; KEY_BYTES] = bytes.try_into().map_err(|_| VaultError::BadKey("not 32 bytes"))?;
        Ok(Vault(XChaCha20Poly1305::new(&key.into())))
    }

    pub(crate) fn seal(&self, key: &SecretString, place: &Place) -> Vec<u8> {
        self.seal_for(key.expose_secret().as_bytes(), &place.bytes())
    }

    /// `None` when the key was sealed with another vault key or for another place.
    pub(crate) fn unseal(&self, sealed: &[u8], place: &Place) -> Option<SecretString> {
        String::from_utf8(self.unseal_for(sealed, &place.bytes())?).ok().map(SecretString::from)
    }

    /// What is sealed for one use opens for no other.
    pub(crate) fn seal_for(&self, text: &[u8], use_: &[u8]) -> Vec<u8> {
        let nonce = random::<NONCE_BYTES>();
        let payload = Payload { msg: text, aad: use_ };
        // Encryption of a few bytes in memory fails only beyond 256 GiB.
        let sealed = self.0.encrypt(&nonce.into(), payload).unwrap_or_default();
        [nonce.as_slice(), &sealed].concat()
    }

    pub(crate) fn unseal_for(&self, sealed: &[u8], use_: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_BYTES)?;
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().ok()?;
        self.0.decrypt(&nonce.into(), Payload { msg: sealed, aad: use_ }).ok()
    }
}

/// What a sealed key is bound to.
pub(crate) struct Place<'a> {
    pub project: &'a ProjectId,
    pub config: &'a ConfigId,
    pub origin: &'a str,
}

impl Place<'_> {
    fn bytes(&self) -> Vec<u8> {
        // No id holds a newline, so no two places have the same bytes.
        format!("{}\n{}\n{}", self.project, self.config, self.origin).into_bytes()
    }
}

fn read_or_make(path: &Path) -> Result<String, VaultError> {
    let io = |source| VaultError::Io { path: path.display().to_string(), source };
    if let Ok(meta) = std::fs::metadata(path) {
        use std::os::unix::fs::PermissionsExt;
        if meta.permissions().mode() & 0o077 != 0 {
            return Err(VaultError::Readable { path: path.display().to_string() });
        }
        return std::fs::read_to_string(path).map_err(io);
    }
    let text = STANDARD.encode(random::<KEY_BYTES>());
    // Complete or not there: a key file cut short by a crash would lock every stored key away.
    let fresh = path.with_extension("new");
    let _ = std::fs::remove_file(&fresh);
    let mut file = std::fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(&fresh).map_err(io)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(io)?;
    std::fs::rename(&fresh, path).map_err(io)?;
    let dir = path.parent().unwrap_or(Path::new("."));
    std::fs::File::open(dir).and_then(|dir| dir.sync_all()).map_err(io)?;
    Ok(text)
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has randomness");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_opens_only_where_it_was_sealed() {
        let dir = tempfile::tempdir().unwrap();
        let vault = Vault::open(None, &dir.path().join("k")).unwrap();
        let again = Vault::open(None, &dir.path().join("k")).unwrap();
        let (project, config) = ("p".parse().unwrap(), "c".parse().unwrap());
        let place = Place { project: &project, config: &config, origin: "https://a" };
        let sealed = vault.seal(&"sk-1".into(), &place);
        assert!(!sealed.windows(4).any(|w| w == b"sk-1"));
        assert_eq!(again.unseal(&sealed, &place).unwrap().expose_secret(), "sk-1");
        assert!(vault.unseal(&sealed, &Place { origin: "https://b", ..place }).is_none());
        assert!(vault.unseal(&sealed[..10], &place).is_none());
        let other = Vault::open(None, &dir.path().join("other")).unwrap();
        assert!(other.unseal(&sealed, &place).is_none());
    }

    #[test]
    fn a_key_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let path = tempfile::tempdir().unwrap().keep().join("k");
        Vault::open(None, &path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(Vault::open(None, &path), Err(VaultError::Readable { .. })));
    }
}
