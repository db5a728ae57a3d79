-- An issue that lost its last event to others leads to the one that took most of them.
CREATE TABLE issue_redirect (
  old_issue_id BIGINT NOT NULL PRIMARY KEY,
  project_id BIGINT NOT NULL,
  number BIGINT NOT NULL,
  issue_id BIGINT NOT NULL,
  created_at_ms BIGINT NOT NULL
);
CREATE UNIQUE INDEX issue_redirect_number ON issue_redirect (project_id, number);
CREATE INDEX issue_redirect_issue ON issue_redirect (issue_id);

-- What happened to an issue. Moves of events for one reason are one row that counts them (n).
CREATE TABLE issue_journal (
  id BIGINT NOT NULL PRIMARY KEY,
  issue_id BIGINT NOT NULL,
  kind TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  n BIGINT NOT NULL,
  other_issue_id BIGINT,
  other_number BIGINT,
  cause_id BIGINT,
  cause TEXT,
  actor TEXT
);
CREATE INDEX issue_journal_issue ON issue_journal (issue_id, id);

-- How many events wait for a key: the sum of missing_file, kept beside it, so that a list can be ranked.
CREATE TABLE missing_key (
  project_id BIGINT NOT NULL,
  key TEXT NOT NULL,
  n BIGINT NOT NULL,
  PRIMARY KEY (project_id, key)
);
CREATE INDEX missing_key_n ON missing_key (project_id, n, key);
INSERT INTO missing_key (project_id, key, n)
SELECT project_id, key, COUNT(*) FROM missing_file GROUP BY project_id, key;

-- A digest of stored events that somebody asked for: how far it is. before_id is the row that was digested
-- last; the rows below it are still to do.
CREATE TABLE redigest_run (
  id BIGINT NOT NULL PRIMARY KEY,
  project_id BIGINT,
  issue_id BIGINT,
  since_ms BIGINT NOT NULL,
  before_id BIGINT NOT NULL,
  tries BIGINT NOT NULL,
  done BIGINT NOT NULL,
  changed BIGINT NOT NULL,
  moved BIGINT NOT NULL,
  failed BIGINT NOT NULL,
  started_at_ms BIGINT NOT NULL,
  finished_at_ms BIGINT
);
