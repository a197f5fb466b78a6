//! What a durable commit costs on this disk, without any database.

use std::{
    fs::File,
    io::Write,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Result;

const COMMIT_BYTES: usize = 8 * 1024;

/// The times of `pairs` pairs of commits, each 8 KiB appended and synced: what a lone turn cannot do without.
pub fn two_commits(dir: &Path, pairs: usize) -> Result<Vec<Duration>> {
    let path = dir.join("two-commits");
    let mut file = File::create(&path)?;
    let page = [0x5a; COMMIT_BYTES];
    let mut times = Vec::new();
    for _ in 0..pairs {
        let begun = Instant::now();
        for _ in 0..2 {
            file.write_all(&page)?;
            file.sync_data()?;
        }
        times.push(begun.elapsed());
    }
    std::fs::remove_file(path)?;
    Ok(times)
}
