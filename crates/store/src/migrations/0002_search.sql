-- The search index holds terms only, made by session::terms, each behind a mark of its project. Its rowids are those of
-- chat_messages and chat_sessions. It is filled behind the sends; emptied and with its progress at 0 it fills again.

CREATE VIRTUAL TABLE search_messages USING fts5 (terms, content = '', contentless_delete = 1, tokenize = 'ascii');

-- The indexer merges, in small steps of its own. By itself FTS5 would do it in large ones, and a send would wait.
INSERT INTO search_messages (search_messages, rank) VALUES ('automerge', 0);

CREATE VIRTUAL TABLE search_titles USING fts5 (
    terms, title UNINDEXED, content = '', contentless_unindexed = 1, contentless_delete = 1, tokenize = 'ascii'
);

CREATE TABLE search_progress (
    messages INTEGER NOT NULL,  -- the rowids up to which everything has been looked at
    sessions INTEGER NOT NULL,
    purges   INTEGER NOT NULL   -- a stride of indexing read before a purge is not written after it
);
INSERT INTO search_progress VALUES (0, 0, 0);
