//! A path made into a session of its own.

use std::{collections::HashMap, fmt::Write};

use rusqlite::{Connection, params};
use session::{
    id::{ProjectId, SessionId, TurnId},
    time::Time,
};
use sha2::{Digest, Sha256};

use crate::{
    Store,
    error::{Error, Result},
    idempotency::{self, Idempotency},
    rows::optional_word,
    sessions, turns,
    walk::{Step, Tree},
    writer::Reply,
};

impl Store {
    /// A new session that begins with the path of another up to `tip`.
    pub fn fork(
        &self,
        project: ProjectId,
        from: SessionId,
        tip: TurnId,
        new: SessionId,
        key: Option<Idempotency>,
        now: Time,
    ) -> Reply<SessionId> {
        self.inner.writer.start_verb("fork", move |conn| {
            if let Some(made) = idempotency::made_before(conn, &project, key.as_ref())? {
                return made.parse().map_err(|_| Error::Failed("a stored id is damaged".into()));
            }
            sessions::find(conn, &project, &from)?.ok_or(Error::SessionNotFound)?;
            let found = turns::turn(conn, &project, &tip)?.filter(|turn| turn.session == from);
            if !found.ok_or(Error::TurnNotFound)?.status.is_final() {
                return Err(Error::NotEnded);
            }
            let tree = Tree { conn, project: &project, session: &from };
            // One that was withdrawn from the queue is on no path.
            let tip = tree.find(&tip)?.ok_or(Error::NotEnded)?;
            if sessions::is_taken(conn, &project, &new)? {
                return Err(Error::Taken);
            }
            let path = tree.stretch(&tip, 1, tip.links.depth)?;
            copy_session(conn, &project, &from, &new, now)?;
            copy_turns(tree, &new, &path)?;
            idempotency::remember(conn, &project, key.as_ref(), new.as_str(), now)?;
            Ok(new.clone())
        })
    }
}

fn copy_session(conn: &Connection, project: &ProjectId, from: &SessionId, new: &SessionId, now: Time) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO chat_sessions (project_id, id, user_id, title, config_id, system, metadata,
             on_failure, auto_title, created_at, active_at)
         SELECT project_id, ?3, user_id, title, config_id, system, metadata, on_failure, auto_title, ?4, ?4
         FROM chat_sessions WHERE project_id = ?1 AND id = ?2",
    )?
    .execute(params![project.as_str(), from.as_str(), new.as_str(), now.to_string()])?;
    Ok(())
}

/// Copies a path's turns and messages, numbered from 1. Counters and depths stay as they are, since the path is the
/// same.
fn copy_turns(source: Tree<'_>, new: &SessionId, path: &[Step]) -> Result<()> {
    let Tree { conn, project, session } = source;
    let prefix = prefix(new);
    let places: HashMap<&TurnId, usize> = path.iter().map(|step| &step.id).zip(1..).collect();
    let renamed = |old: Option<&TurnId>| old.and_then(|old| places.get(old)).map(|place| format!("{prefix}t{place}"));
    for (step, number) in path.iter().zip(1u64..) {
        let prompt_from: Option<TurnId> = conn
            .prepare_cached("SELECT prompt_from FROM chat_turns WHERE project_id = ? AND id = ?")?
            .query_row([project.as_str(), step.id.as_str()], |row| optional_word(row, "prompt_from"))?;
        let turn = renamed(Some(&step.id));
        conn.prepare_cached(
            "INSERT INTO chat_turns (project_id, id, session_id, kind, status, number, parent, parent_given, base,
                 depth, jump, jump_depth, before_messages, before_tokens, through_messages, through_tokens, counts,
                 epoch, attempts, asked, options, metadata, request, config_id, config_revision, prompt_from, assembler,
                 prompt_hash, reason, finish, model, error, prompt_tokens, completion_tokens, cached_tokens,
                 reasoning_tokens, first_token_ms, last_seq, created_at, started_at, ended_at)
             SELECT project_id, ?3, ?4, kind, status, ?5, ?6, 1, ?7,
                 depth, ?8, jump_depth, before_messages, before_tokens, through_messages, through_tokens, counts,
                 epoch, attempts, asked, options, metadata, request, config_id, config_revision, ?9, assembler,
                 prompt_hash, reason, finish, model, error, prompt_tokens, completion_tokens, cached_tokens,
                 reasoning_tokens, first_token_ms, last_seq, created_at, started_at, ended_at
             FROM chat_turns WHERE project_id = ?1 AND id = ?2",
        )?
        .execute(params![
            project.as_str(),
            step.id.as_str(),
            turn,
            new.as_str(),
            number,
            renamed(step.parent.as_ref()),
            renamed(step.base.as_ref()),
            renamed(step.links.jump.as_ref()),
            renamed(prompt_from.as_ref()),
        ])?;
        conn.prepare_cached(
            "INSERT INTO chat_messages (project_id, id, session_id, turn_id, number, place, role, content, parts,
                 tool_calls, tool_call_id, reasoning, refusal, tokens, timestamp, deleted_at, deleted_calls)
             SELECT project_id, ?4 || place, ?5, ?6, ?7, place, role, content, parts, tool_calls, tool_call_id,
                 reasoning, refusal, tokens, timestamp, deleted_at, deleted_calls
             FROM chat_messages WHERE session_id = ?1 AND project_id = ?2 AND number = ?3",
        )?
        .execute(params![
            session.as_str(),
            project.as_str(),
            step.number,
            format!("{prefix}m{number}-"),
            new.as_str(),
            turn,
            number
        ])?;
    }
    let head = renamed(path.last().map(|step| &step.id));
    conn.prepare_cached("UPDATE chat_sessions SET head = ?, turns = ? WHERE project_id = ? AND id = ?")?
        .execute(params![head, path.len(), project.as_str(), new.as_str()])?;
    Ok(())
}

/// What the ids in the new session begin with: as much one of a kind as its own id, and short whatever that is.
fn prefix(session: &SessionId) -> String {
    let mut prefix = String::new();
    for byte in &Sha256::digest(session.as_str())[..12] {
        let _ = write!(prefix, "{byte:02x}");
    }
    prefix
}
