//! One server per data directory: a lock file that names its holder.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    path::Path,
};

/// Held as long as this lives; the kernel lets go of it when the process dies, however that happens.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "closing the file is what unlocks it")] File);

#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error("process {pid} already serves this data directory; stop it first, or choose another with --data")]
    Held { pid: String },
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

pub(crate) fn take(path: &Path) -> Result<Lock, LockError> {
    let mut file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            file.read_to_string(&mut pid)?;
            return Err(LockError::Held { pid: pid.trim().to_owned() });
        }
        Err(TryLockError::Error(error)) => return Err(error.into()),
    }
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())?;
    Ok(Lock(file))
}
