-- How many messages a turn was asked with: those at the places below, of whatever role. Its answer stands behind them.
ALTER TABLE chat_turns ADD COLUMN asked INTEGER NOT NULL DEFAULT 0;
UPDATE chat_turns SET asked = (
    SELECT count(*) FROM chat_messages AS m
    WHERE m.session_id = chat_turns.session_id AND m.project_id = chat_turns.project_id AND m.number = chat_turns.number
      AND m.role <> 'assistant'
) WHERE number IS NOT NULL;

-- What the surface that a request came by wants to read back. Nothing here looks into it.
ALTER TABLE chat_turns ADD COLUMN request TEXT;  -- JSON
