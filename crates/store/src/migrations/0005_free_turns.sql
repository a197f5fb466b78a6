-- A session that a response began, continuing nothing: turns that continue one another there by name are free.
ALTER TABLE chat_sessions ADD COLUMN chain INTEGER NOT NULL DEFAULT 0;

-- A free turn runs beside its session's lane, as soon as its parent has ended.
ALTER TABLE chat_turns ADD COLUMN free INTEGER NOT NULL DEFAULT 0;

-- The promise that a lane runs one turn at a time. Of free turns several may run.
DROP INDEX chat_turns_running;
CREATE UNIQUE INDEX chat_turns_running ON chat_turns (project_id, session_id) WHERE status = 'running' AND free = 0;
CREATE INDEX chat_turns_running_free ON chat_turns (project_id, session_id, number) WHERE status = 'running' AND free = 1;

-- All that waits, in one order; the lane's own are told apart without reading their rows, which hold their input.
DROP INDEX chat_turns_queue;
CREATE INDEX chat_turns_queue ON chat_turns (project_id, session_id, position, free) WHERE status = 'queued';
CREATE INDEX chat_turns_children ON chat_turns (project_id, session_id, parent, position)
    WHERE status = 'queued' AND free = 1;
