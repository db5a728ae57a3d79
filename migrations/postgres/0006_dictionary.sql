-- What a project's events have in common, learnt from some of them: they are compressed with it.
-- Kept until the last event that needs it is gone.
CREATE TABLE dictionary (
  id BIGINT NOT NULL PRIMARY KEY,
  project_id BIGINT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  superseded_at_ms BIGINT,
  body BYTEA NOT NULL
);
CREATE INDEX dictionary_project ON dictionary (project_id, id);
