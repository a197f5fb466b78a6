-- Where a title is from: 'first_line'; 'asked', while a model is asked for a better one, which is done once; 'model'. NULL
-- when somebody gave it, or there is none.
ALTER TABLE chat_sessions ADD COLUMN title_from TEXT;

-- How a session that nobody has named gets its title: 'first_line' or 'model'.
ALTER TABLE chat_sessions ADD COLUMN auto_title TEXT NOT NULL DEFAULT 'first_line';

-- The config that makes titles; without one a session's own does.
ALTER TABLE projects ADD COLUMN titles_config_id TEXT;
