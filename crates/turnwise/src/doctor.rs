//! `turnwise doctor`: looks at everything that has to be right, and says what to do about what is not.

use std::path::Path;

use provider::Providers;
use scheduler::{EnvKeys, Scheduler, try_config};
use serde::{Deserialize, Serialize};
use server::auth::default_project;
use session::id::ProjectId;
use store::ConfigAt;

use crate::{
    admin,
    options::{Options, Settings},
    seed,
};

/// Below this much room a warning is due.
const ROOM_BYTES: u64 = 256 << 20;

#[derive(Debug, Serialize, Deserialize)]
pub struct Finding {
    pub fine: bool,
    pub what: String,
}

impl Finding {
    fn fine(what: impl Into<String>) -> Finding {
        Finding { fine: true, what: what.into() }
    }

    fn wrong(what: impl Into<String>) -> Finding {
        Finding { fine: false, what: what.into() }
    }
}

pub fn run(options: Options) -> anyhow::Result<()> {
    let settings = options.resolve()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let findings = runtime.block_on(examine(&settings))?;
    for finding in &findings {
        println!("{} {}", if finding.fine { "ok   " } else { "WRONG" }, finding.what);
    }
    let wrong = findings.iter().filter(|finding| !finding.fine).count();
    if wrong > 0 {
        anyhow::bail!("{wrong} of {} checks found something wrong", findings.len());
    }
    Ok(())
}

async fn examine(settings: &Settings) -> anyhow::Result<Vec<Finding>> {
    let dir = &settings.data;
    if !dir.join(store::FILE).exists() {
        let what = format!("there is no data in {} yet; `turnwise serve` makes it", dir.display());
        return Ok(vec![Finding::fine(what)]);
    }
    let mut findings = directory(dir);
    findings.push(match store::check(dir) {
        Ok(damage) if damage.is_empty() => Finding::fine("the database is sound"),
        Ok(damage) => Finding::wrong(format!(
            "the database is damaged ({}): stop the server, keep a copy of {}, and restore a backup",
            damage.join("; "),
            dir.display()
        )),
        Err(error) => Finding::wrong(format!("the database cannot be read: {error}")),
    });
    match admin::connect(dir).await? {
        Some(mut server) => {
            findings.push(Finding::fine("a server runs on this data directory"));
            findings.extend(server.call::<Vec<Finding>>("GET", "/doctor", None::<&()>).await?);
        }
        None => findings.extend(without_server(settings).await?),
    }
    Ok(findings)
}

fn directory(dir: &Path) -> Vec<Finding> {
    use std::os::unix::fs::PermissionsExt;
    let mut findings = Vec::new();
    for name in ["", "secret.key"] {
        let path = dir.join(name);
        let Ok(meta) = std::fs::metadata(&path) else { continue };
        let open = meta.permissions().mode() & 0o077 != 0;
        let shown = path.display();
        findings.push(match open {
            false => Finding::fine(format!("{shown} is closed to other users")),
            true => Finding::wrong(format!("{shown} is open to other users: chmod go-rwx {shown}")),
        });
    }
    findings.push(match room(dir) {
        Some(bytes) if bytes < ROOM_BYTES => {
            Finding::wrong(format!("only {} MiB are left for {}: make room", bytes >> 20, dir.display()))
        }
        Some(bytes) => Finding::fine(format!("{} GiB are left for data", bytes >> 30)),
        None => Finding::wrong(format!("cannot tell how much room is left for {}", dir.display())),
    });
    findings
}

fn room(dir: &Path) -> Option<u64> {
    use std::os::unix::ffi::OsStrExt;
    let path = std::ffi::CString::new(dir.as_os_str().as_bytes()).ok()?;
    let mut stat = std::mem::MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: `path` ends with a NUL and `stat` is as large as the call wants; it is read only when the call filled it.
    let stat = unsafe { (libc::statvfs(path.as_ptr(), stat.as_mut_ptr()) == 0).then(|| stat.assume_init()) }?;
    Some(stat.f_bavail * stat.f_frsize)
}

async fn without_server(settings: &Settings) -> anyhow::Result<Vec<Finding>> {
    let configs = match store::read_configs(&settings.data, settings.secret_key.as_ref()) {
        Ok(configs) => configs,
        Err(error) => return Ok(vec![Finding::wrong(format!("the configs cannot be read: {error}"))]),
    };
    let providers = Providers::new(provider::Settings::default())?;
    Ok(try_all(&providers, &seed::env_keys(&settings.env_keys), configs).await)
}

/// Every config's upstream, tried with one tiny call.
pub async fn upstreams(scheduler: &Scheduler) -> Vec<Finding> {
    match scheduler.store().all_configs().await {
        Ok(configs) => try_all(scheduler.providers(), &scheduler.settings().env_keys, configs).await,
        Err(error) => vec![Finding::wrong(format!("the configs cannot be read: {error}"))],
    }
}

async fn try_all(providers: &Providers, env_keys: &EnvKeys, configs: Vec<(ProjectId, ConfigAt)>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (project, config) in configs {
        let id = &config.id;
        let id = if project == default_project() { id.to_string() } else { format!("{project}/{id}") };
        findings.push(match try_config(providers, env_keys, &config).await {
            Ok(model) => Finding::fine(format!("config {id}: {model} answers")),
            Err(failure) => Finding::wrong(format!("config {id}: {}", failure.message)),
        });
    }
    findings
}
