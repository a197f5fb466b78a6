-- When a message was deleted. What it said is gone; its row keeps its place.
ALTER TABLE chat_messages ADD COLUMN deleted_at TEXT;

-- The numbers that an answer's deleted tool calls had, JSON: those that are left keep theirs.
ALTER TABLE chat_messages ADD COLUMN deleted_calls TEXT;

-- When the turn was deleted as a response: from then on only the native API finds it.
ALTER TABLE chat_turns ADD COLUMN response_deleted_at TEXT;
