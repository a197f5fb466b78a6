-- Times are RFC 3339 in UTC with milliseconds, so that they sort as text. Every key begins with the project.

CREATE TABLE projects (
    id                TEXT PRIMARY KEY,
    default_config_id TEXT,
    created_at        TEXT NOT NULL
);

CREATE TABLE api_keys (
    project_id TEXT NOT NULL,
    id         TEXT NOT NULL UNIQUE,
    name       TEXT NOT NULL,
    hash       BLOB NOT NULL UNIQUE,
    created_at TEXT NOT NULL,
    revoked_at TEXT,
    PRIMARY KEY (project_id, id)
);

CREATE TABLE chat_configs (
    project_id TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    revision   INTEGER NOT NULL,
    sealed_key BLOB,              -- the upstream's key, sealed for this config and this origin
    key_origin TEXT,
    created_at TEXT    NOT NULL,
    updated_at TEXT    NOT NULL,
    deleted_at TEXT,
    PRIMARY KEY (project_id, id)
);

CREATE TABLE chat_config_revisions (
    project_id    TEXT    NOT NULL,
    config_id     TEXT    NOT NULL,
    revision      INTEGER NOT NULL,
    body          TEXT    NOT NULL,  -- JSON
    created_at    TEXT    NOT NULL,
    PRIMARY KEY (project_id, config_id, revision)
);

CREATE TABLE chat_sessions (
    project_id    TEXT    NOT NULL,
    id            TEXT    NOT NULL,
    user_id       TEXT,
    title         TEXT,
    config_id     TEXT,
    system        TEXT,
    metadata      TEXT    NOT NULL DEFAULT '{}',
    on_failure    TEXT    NOT NULL DEFAULT 'continue',
    pinned        INTEGER NOT NULL DEFAULT 0,
    archived      INTEGER NOT NULL DEFAULT 0,
    head          TEXT,                        -- the turn that the next one continues
    turns         INTEGER NOT NULL DEFAULT 0,  -- the last number given
    paused        INTEGER NOT NULL DEFAULT 0,
    hold_turn     TEXT,                        -- its tool calls await results
    hold_until    TEXT,
    created_at    TEXT    NOT NULL,
    active_at     TEXT    NOT NULL,
    deleted_at    TEXT,
    purging       INTEGER NOT NULL DEFAULT 0,  -- parts of it are gone: it cannot be restored any more
    PRIMARY KEY (project_id, id)
);
CREATE INDEX chat_sessions_active ON chat_sessions (project_id, active_at, id) WHERE deleted_at IS NULL;
CREATE INDEX chat_sessions_pinned ON chat_sessions (project_id, active_at, id) WHERE deleted_at IS NULL AND pinned = 1;
CREATE INDEX chat_sessions_archived ON chat_sessions (project_id, active_at, id) WHERE deleted_at IS NULL AND archived = 1;
CREATE INDEX chat_sessions_deleted ON chat_sessions (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE chat_turns (
    project_id        TEXT    NOT NULL,
    id                TEXT    NOT NULL,
    session_id        TEXT    NOT NULL,
    kind              TEXT    NOT NULL,
    status            TEXT    NOT NULL,
    number            INTEGER,                     -- its place in the session, given at start
    position          INTEGER,                     -- its place in the queue, smallest first
    queued_at_place   INTEGER,                     -- the place told to its sender; NULL when it started at once
    parent            TEXT,                        -- the turn it continues; NULL for the first
    parent_given      INTEGER NOT NULL DEFAULT 0,  -- 0: whatever is the head at start
    base              TEXT,                        -- the nearest turn before it on its path that counts in histories
    depth             INTEGER,                     -- its place on its path, from 1
    jump              TEXT,                        -- a turn further up its path, to find any of them in few steps
    jump_depth        INTEGER,                     -- that turn's depth; 0 when there is none
    before_messages   INTEGER NOT NULL DEFAULT 0,  -- counters of the path, without this turn and with it
    before_tokens     INTEGER NOT NULL DEFAULT 0,
    through_messages  INTEGER NOT NULL DEFAULT 0,
    through_tokens    INTEGER NOT NULL DEFAULT 0,
    counts            INTEGER NOT NULL DEFAULT 0,
    epoch             INTEGER NOT NULL DEFAULT 0,
    owner             TEXT,
    attempts          INTEGER NOT NULL DEFAULT 0,
    input             TEXT,                        -- JSON, while queued; then it is in chat_messages
    options           TEXT,                        -- JSON
    metadata          TEXT,                        -- JSON
    config_id         TEXT,
    config_revision   INTEGER,
    prompt_from       TEXT,                        -- the oldest turn sent with it
    assembler         INTEGER,
    prompt_hash       BLOB,                        -- SHA-256 of the body sent
    reason            TEXT,
    finish            TEXT,
    model             TEXT,
    error             TEXT,                        -- JSON
    prompt_tokens     INTEGER NOT NULL DEFAULT 0,
    completion_tokens INTEGER NOT NULL DEFAULT 0,
    cached_tokens     INTEGER NOT NULL DEFAULT 0,
    reasoning_tokens  INTEGER NOT NULL DEFAULT 0,
    first_token_ms    INTEGER,
    last_seq          INTEGER NOT NULL DEFAULT 0,  -- the number of the final event
    created_at        TEXT    NOT NULL,
    started_at        TEXT,
    ended_at          TEXT,
    PRIMARY KEY (project_id, id)
);
-- The promise that a lane runs one turn at a time.
CREATE UNIQUE INDEX chat_turns_running ON chat_turns (project_id, session_id) WHERE status = 'running';
CREATE INDEX chat_turns_queue ON chat_turns (project_id, session_id, position) WHERE status = 'queued';
CREATE UNIQUE INDEX chat_turns_order ON chat_turns (project_id, session_id, number) WHERE number IS NOT NULL;
CREATE INDEX chat_turns_siblings ON chat_turns (project_id, session_id, parent, number) WHERE number IS NOT NULL;
CREATE INDEX chat_turns_withdrawn ON chat_turns (project_id, session_id) WHERE number IS NULL AND status = 'cancelled';

CREATE TABLE chat_messages (
    project_id   TEXT    NOT NULL,
    id           TEXT    NOT NULL,
    session_id   TEXT    NOT NULL,
    turn_id      TEXT    NOT NULL,
    number       INTEGER NOT NULL,  -- the turn's
    place        INTEGER NOT NULL,  -- within the turn
    role         TEXT    NOT NULL,
    content      TEXT    NOT NULL,  -- the words
    parts        TEXT,              -- JSON, when there is more than words
    tool_calls   TEXT,              -- JSON
    tool_call_id TEXT,
    reasoning    TEXT,
    refusal      TEXT,
    tokens       INTEGER NOT NULL,
    timestamp    TEXT    NOT NULL,
    PRIMARY KEY (project_id, id)
);
-- Begins with the session, so that SELECT * FROM chat_messages WHERE session_id = '…' shows a conversation in order.
CREATE UNIQUE INDEX chat_messages_order ON chat_messages (session_id, project_id, number, place);

CREATE TABLE chat_segments (
    project_id TEXT    NOT NULL,
    turn_id    TEXT    NOT NULL,
    epoch      INTEGER NOT NULL,
    first_seq  INTEGER NOT NULL,
    body       BLOB    NOT NULL,
    created_at TEXT    NOT NULL,
    PRIMARY KEY (project_id, turn_id, epoch, first_seq)
);

CREATE TABLE idempotency_keys (
    project_id TEXT NOT NULL,
    caller     TEXT NOT NULL,
    path       TEXT NOT NULL,
    key        TEXT NOT NULL,
    body_hash  BLOB NOT NULL,
    resource   TEXT NOT NULL,  -- the id of what the first request made
    created_at TEXT NOT NULL,
    PRIMARY KEY (project_id, caller, path, key)
);
