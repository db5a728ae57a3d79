-- What a project's events have in common, learnt from some of them: they are compressed with it.
-- Kept until the last event that needs it is gone.
CREATE TABLE dictionary (
  id INTEGER NOT NULL PRIMARY KEY,
  project_id INTEGER NOT NULL,
  created_at_ms INTEGER NOT NULL,
  superseded_at_ms INTEGER,
  body BLOB NOT NULL
) STRICT;
CREATE INDEX dictionary_project ON dictionary (project_id, id);
