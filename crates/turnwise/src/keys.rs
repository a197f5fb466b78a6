//! `turnwise keys`: makes, lists and revokes API keys, through the running server or, without one, in the store.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::Subcommand;
use serde::{Deserialize, Serialize};
use server::auth::{DEFAULT_PROJECT, KEY_PREFIX};
use session::id::{KeyId, ProjectId};
use sha2::{Digest, Sha256};
use store::{ApiKey, Faults, NewKey, Store};

use crate::{
    admin,
    clock::CLOCK,
    options::{Options, Settings},
    seed,
};

const KEY_BYTES: usize = 16;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a key; it is shown this once
    Create {
        /// What it is for
        #[arg(long, default_value = "unnamed")]
        name: String,
        /// Whose sessions it opens
        #[arg(long, default_value = DEFAULT_PROJECT)]
        project: ProjectId,
    },
    /// List keys
    List,
    /// Revoke a key
    Revoke { id: KeyId },
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CreateRequest {
    name: String,
    project: ProjectId,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Created {
    pub id: KeyId,
    pub key: String,
}

#[derive(Debug, Deserialize)]
struct Listed {
    id: KeyId,
    project: ProjectId,
    name: String,
    created_at: String,
    revoked_at: Option<String>,
}

pub fn run(command: Command, options: Options) -> anyhow::Result<()> {
    let settings = options.resolve()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match admin::connect(&settings.data).await? {
            Some(mut server) => through_server(command, &mut server).await,
            None => in_store(command, &settings).await,
        }
    })
}

async fn through_server(command: Command, server: &mut admin::Client) -> anyhow::Result<()> {
    match command {
        Command::Create { name, project } => {
            let made: Created = server.call("POST", "/keys", Some(&CreateRequest { name, project })).await?;
            show_created(&made);
        }
        Command::List => show_list(server.call("GET", "/keys", None::<&()>).await?),
        Command::Revoke { id } => {
            let path = format!("/keys/{id}/revoke");
            server.call::<()>("POST", &path, None::<&()>).await?;
            println!("revoked {id}");
        }
    }
    Ok(())
}

async fn in_store(command: Command, settings: &Settings) -> anyhow::Result<()> {
    let (store, closing) = Store::open(&settings.data, settings.secret_key.as_ref(), Faults::default())?;
    match command {
        Command::Create { name, project } => show_created(&create(&store, CreateRequest { name, project }).await?),
        Command::List => {
            let keys: Vec<ApiKey> = store.keys().await?;
            show_list(serde_json::from_value(serde_json::to_value(keys)?)?);
        }
        Command::Revoke { id } => {
            store.revoke_key(id.clone(), CLOCK.now()).await?;
            println!("revoked {id}");
        }
    }
    drop(store);
    closing.wait();
    Ok(())
}

pub async fn create(store: &Store, request: CreateRequest) -> store::Result<Created> {
    let mut bytes = [0; KEY_BYTES];
    getrandom::fill(&mut bytes).map_err(|error| store::Error::Failed(format!("no randomness: {error}")))?;
    let key = format!("{KEY_PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
    let id: KeyId = CLOCK.id();
    let hash = Sha256::digest(key.as_bytes()).into();
    let project = request.project;
    let new = NewKey { project: project.clone(), id: id.clone(), name: request.name, hash, now: CLOCK.now() };
    store.create_key(new).await?;
    // A project's first message gets an answer, as the server's does.
    seed::configs(store, &project, CLOCK).await?;
    Ok(Created { id, key })
}

fn show_created(made: &Created) {
    println!("{}", made.key);
    eprintln!("Key {} is shown this once. From now on every request needs a key.", made.id);
}

fn show_list(keys: Vec<Listed>) {
    for key in keys {
        let state = key.revoked_at.map_or("in use".to_owned(), |at| format!("revoked {at}"));
        println!("{}  {}  {}  made {}  {state}", key.id, key.project, key.name, key.created_at);
    }
}
