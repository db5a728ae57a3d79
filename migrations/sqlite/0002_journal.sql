-- An issue that lost its last event to others leads to the one that took most of them.
CREATE TABLE issue_redirect (
  old_issue_id INTEGER NOT NULL PRIMARY KEY,
  project_id INTEGER NOT NULL,
  number INTEGER NOT NULL,
  issue_id INTEGER NOT NULL,
  created_at_ms INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX issue_redirect_number ON issue_redirect (project_id, number);
CREATE INDEX issue_redirect_issue ON issue_redirect (issue_id);

-- What happened to an issue. Moves of events for one reason are one row that counts them (n).
CREATE TABLE issue_journal (
  id INTEGER NOT NULL PRIMARY KEY,
  issue_id INTEGER NOT NULL,
  kind TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  n INTEGER NOT NULL,
  other_issue_id INTEGER,
  other_number INTEGER,
  cause_id INTEGER,
  cause TEXT,
  actor TEXT
) STRICT;
CREATE INDEX issue_journal_issue ON issue_journal (issue_id, id);

-- How many events wait for a key: the sum of missing_file, kept beside it, so that a list can be ranked.
CREATE TABLE missing_key (
  project_id INTEGER NOT NULL,
  key TEXT NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (project_id, key)
) WITHOUT ROWID, STRICT;
CREATE INDEX missing_key_n ON missing_key (project_id, n, key);
INSERT INTO missing_key (project_id, key, n)
SELECT project_id, key, COUNT(*) FROM missing_file GROUP BY project_id, key;

-- A digest of stored events that somebody asked for: how far it is. before_id is the row that was digested
-- last; the rows below it are still to do.
CREATE TABLE redigest_run (
  id INTEGER NOT NULL PRIMARY KEY,
  project_id INTEGER,
  issue_id INTEGER,
  since_ms INTEGER NOT NULL,
  before_id INTEGER NOT NULL,
  tries INTEGER NOT NULL,
  done INTEGER NOT NULL,
  changed INTEGER NOT NULL,
  moved INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  started_at_ms INTEGER NOT NULL,
  finished_at_ms INTEGER
) STRICT;
