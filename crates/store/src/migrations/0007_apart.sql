-- 1: other turns of the session started between the turn's parent and the turn. One that did not start apart is its
-- parent's first child and has the next number; in most sessions there is no other, and nothing is written to find it by
-- its parent.
ALTER TABLE chat_turns ADD COLUMN apart INTEGER NOT NULL DEFAULT 0;
UPDATE chat_turns SET apart = 1
WHERE number <> 1 + coalesce(
    (SELECT p.number FROM chat_turns AS p WHERE p.project_id = chat_turns.project_id AND p.id = chat_turns.parent), 0);
DROP INDEX chat_turns_siblings;
CREATE INDEX chat_turns_apart ON chat_turns (project_id, session_id, parent, number) WHERE apart = 1;
