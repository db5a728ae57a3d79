-- Small sequential ids (organizations, projects, users) and short ids of issues.
CREATE TABLE sequence (
  name TEXT NOT NULL PRIMARY KEY,
  last BIGINT NOT NULL
);

-- Secrets of this installation (what web sessions and user hashes are keyed with).
CREATE TABLE secret (
  name TEXT NOT NULL PRIMARY KEY,
  value BYTEA NOT NULL
);

CREATE TABLE organization (
  id BIGINT NOT NULL PRIMARY KEY,
  slug TEXT NOT NULL,
  name TEXT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  revoked_at_ms BIGINT
);
CREATE UNIQUE INDEX organization_slug ON organization (slug);

CREATE TABLE project (
  id BIGINT NOT NULL PRIMARY KEY,
  organization_id BIGINT NOT NULL REFERENCES organization (id),
  slug TEXT NOT NULL,
  name TEXT NOT NULL,
  platform TEXT,
  created_at_ms BIGINT NOT NULL,
  revoked_at_ms BIGINT,
  first_event_ms BIGINT
);
CREATE UNIQUE INDEX project_slug ON project (organization_id, slug);

CREATE TABLE project_key (
  id BIGINT NOT NULL PRIMARY KEY,
  project_id BIGINT NOT NULL REFERENCES project (id),
  public_key TEXT NOT NULL,
  label TEXT NOT NULL,
  rate_limit_events BIGINT,
  rate_limit_window_s BIGINT,
  created_at_ms BIGINT NOT NULL,
  revoked_at_ms BIGINT
);
CREATE UNIQUE INDEX project_key_public ON project_key (public_key);
CREATE INDEX project_key_project ON project_key (project_id);

CREATE TABLE user_account (
  id BIGINT NOT NULL PRIMARY KEY,
  email TEXT NOT NULL,
  name TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  revoked_at_ms BIGINT
);
CREATE UNIQUE INDEX user_account_email ON user_account (email);

CREATE TABLE membership (
  organization_id BIGINT NOT NULL REFERENCES organization (id),
  user_id BIGINT NOT NULL REFERENCES user_account (id),
  role TEXT NOT NULL,
  PRIMARY KEY (organization_id, user_id)
);

CREATE TABLE web_session (
  hash BYTEA NOT NULL PRIMARY KEY,
  user_id BIGINT NOT NULL REFERENCES user_account (id),
  created_at_ms BIGINT NOT NULL,
  expires_at_ms BIGINT NOT NULL
);

-- Tokens are kept as SHA-256; scopes are words separated by spaces.
CREATE TABLE token (
  id BIGINT NOT NULL PRIMARY KEY,
  organization_id BIGINT NOT NULL REFERENCES organization (id),
  user_id BIGINT REFERENCES user_account (id),
  name TEXT NOT NULL,
  hash BYTEA NOT NULL,
  last_characters TEXT NOT NULL,
  scopes TEXT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  last_used_at_ms BIGINT,
  expires_at_ms BIGINT,
  revoked_at_ms BIGINT
);
CREATE UNIQUE INDEX token_hash ON token (hash);

-- Phase one: what was accepted and not yet digested. The rows are the queue.
-- visible_at_ms is run time, backoff and lease in one.
CREATE TABLE accepted (
  id BIGINT NOT NULL PRIMARY KEY,
  project_id BIGINT NOT NULL,
  event_id BYTEA NOT NULL,
  received_at_ms BIGINT NOT NULL,
  visible_at_ms BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  alone_attempts BIGINT NOT NULL,
  parked_at_ms BIGINT,
  error TEXT,
  sender TEXT NOT NULL,
  payload BYTEA NOT NULL
);
CREATE INDEX accepted_event_id ON accepted (project_id, event_id);
CREATE INDEX accepted_visible ON accepted (visible_at_ms, id) WHERE parked_at_ms IS NULL;

-- Phase two: original (normalized and scrubbed) and result (a delta against it), first byte = format.
CREATE TABLE event (
  id BIGINT NOT NULL PRIMARY KEY,
  project_id BIGINT NOT NULL,
  event_id BYTEA NOT NULL,
  issue_id BIGINT NOT NULL,
  received_at_ms BIGINT NOT NULL,
  occurred_at_ms BIGINT NOT NULL,
  original BYTEA NOT NULL,
  result BYTEA NOT NULL,
  redigest_at_ms BIGINT,
  redigest_attempts BIGINT NOT NULL DEFAULT 0,
  redigest_error TEXT,
  user_hash BYTEA
);
CREATE UNIQUE INDEX event_event_id ON event (project_id, event_id);
CREATE INDEX event_project ON event (project_id, id);
CREATE INDEX event_issue ON event (issue_id, id);
CREATE INDEX event_redigest ON event (redigest_at_ms, id) WHERE redigest_at_ms IS NOT NULL;

CREATE TABLE issue (
  id BIGINT NOT NULL PRIMARY KEY,
  project_id BIGINT NOT NULL,
  number BIGINT NOT NULL,
  kind TEXT NOT NULL,
  title TEXT NOT NULL,
  culprit TEXT NOT NULL,
  metadata TEXT NOT NULL,
  level TEXT NOT NULL,
  platform TEXT NOT NULL,
  logger TEXT,
  status TEXT NOT NULL,
  status_changed_at_ms BIGINT,
  first_seen_ms BIGINT NOT NULL,
  last_seen_ms BIGINT NOT NULL,
  times_seen BIGINT NOT NULL,
  users_seen BIGINT NOT NULL,
  first_release TEXT,
  last_release TEXT,
  is_unhandled_at_ms BIGINT
);
CREATE UNIQUE INDEX issue_number ON issue (project_id, number);
CREATE INDEX issue_last_seen ON issue (project_id, status, last_seen_ms, id);

CREATE TABLE group_hash (
  project_id BIGINT NOT NULL,
  hash BYTEA NOT NULL,
  version BIGINT NOT NULL,
  issue_id BIGINT NOT NULL,
  PRIMARY KEY (project_id, hash)
);
CREATE INDEX group_hash_issue ON group_hash (issue_id);

CREATE TABLE issue_user (
  issue_id BIGINT NOT NULL,
  user_hash BYTEA NOT NULL,
  n BIGINT NOT NULL,
  PRIMARY KEY (issue_id, user_hash)
);

CREATE TABLE issue_tag (
  issue_id BIGINT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  n BIGINT NOT NULL,
  last_seen_ms BIGINT NOT NULL,
  PRIMARY KEY (issue_id, key, value)
);

CREATE TABLE issue_hour (
  issue_id BIGINT NOT NULL,
  hour BIGINT NOT NULL,
  n BIGINT NOT NULL,
  PRIMARY KEY (issue_id, hour)
);

-- A body of at most 100 KB stands in the row; a larger one in the blob store under sha256.
CREATE TABLE attachment (
  id BIGINT NOT NULL PRIMARY KEY,
  project_id BIGINT NOT NULL,
  event_id BYTEA NOT NULL,
  received_at_ms BIGINT NOT NULL,
  name TEXT NOT NULL,
  content_type TEXT NOT NULL,
  kind TEXT NOT NULL,
  size BIGINT NOT NULL,
  sha256 BYTEA NOT NULL,
  body BYTEA
);
CREATE UNIQUE INDEX attachment_content ON attachment (project_id, event_id, name, sha256);

-- Events and items that were not kept, by reason, and sessions, by project and hour.
CREATE TABLE outcome_hour (
  project_id BIGINT NOT NULL,
  hour BIGINT NOT NULL,
  outcome TEXT NOT NULL,
  category TEXT NOT NULL,
  n BIGINT NOT NULL,
  PRIMARY KEY (project_id, hour, outcome, category)
);

-- A chunk belongs to the organization that sent it: knowing a hash is no access.
CREATE TABLE chunk (
  organization_id BIGINT NOT NULL,
  sha1 BYTEA NOT NULL,
  sha256 BYTEA NOT NULL,
  size BIGINT NOT NULL,
  received_at_ms BIGINT NOT NULL,
  PRIMARY KEY (organization_id, sha1)
);

CREATE TABLE debug_file (
  id BIGINT NOT NULL PRIMARY KEY,
  project_id BIGINT NOT NULL,
  sha1 BYTEA NOT NULL,
  sha256 BYTEA NOT NULL,
  size BIGINT NOT NULL,
  name TEXT NOT NULL,
  debug_id TEXT NOT NULL,
  code_id TEXT,
  format TEXT NOT NULL,
  object_kind TEXT NOT NULL,
  arch TEXT NOT NULL,
  features TEXT NOT NULL,
  detail TEXT,
  created_at_ms BIGINT NOT NULL
);
CREATE UNIQUE INDEX debug_file_content ON debug_file (project_id, sha1, debug_id);
CREATE INDEX debug_file_debug_id ON debug_file (project_id, debug_id);

CREATE TABLE artifact_bundle (
  id BIGINT NOT NULL PRIMARY KEY,
  organization_id BIGINT NOT NULL,
  bundle_id TEXT NOT NULL,
  sha1 BYTEA NOT NULL,
  sha256 BYTEA NOT NULL,
  size BIGINT NOT NULL,
  file_count BIGINT NOT NULL,
  created_at_ms BIGINT NOT NULL
);
CREATE UNIQUE INDEX artifact_bundle_content ON artifact_bundle (organization_id, sha1);
CREATE INDEX artifact_bundle_id ON artifact_bundle (organization_id, bundle_id);

CREATE TABLE artifact_bundle_project (
  bundle_id BIGINT NOT NULL REFERENCES artifact_bundle (id),
  project_id BIGINT NOT NULL,
  PRIMARY KEY (bundle_id, project_id)
);

-- An absent release or distribution is an empty text.
CREATE TABLE artifact_bundle_release (
  bundle_id BIGINT NOT NULL REFERENCES artifact_bundle (id),
  release TEXT NOT NULL,
  dist TEXT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  PRIMARY KEY (bundle_id, release, dist)
);

CREATE TABLE artifact_file (
  bundle_id BIGINT NOT NULL REFERENCES artifact_bundle (id),
  position BIGINT NOT NULL,
  entry TEXT NOT NULL,
  url TEXT NOT NULL,
  kind TEXT NOT NULL,
  debug_id TEXT,
  PRIMARY KEY (bundle_id, position)
);
CREATE INDEX artifact_file_debug_id ON artifact_file (debug_id) WHERE debug_id IS NOT NULL;

-- What a project's stored files answer to, and what its events asked for in vain.
-- The key is the canonical text of Wanted: "debug-id:…", "code-id:…", "js:…", "source:…".
CREATE TABLE file_key (
  project_id BIGINT NOT NULL,
  key TEXT NOT NULL,
  file_id BIGINT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  PRIMARY KEY (project_id, key, file_id)
);
CREATE INDEX file_key_file ON file_key (file_id);

-- seen_count: how many files answered to the key when the event was looked up. More of them now mean that
-- another look is worth it.
CREATE TABLE missing_file (
  project_id BIGINT NOT NULL,
  key TEXT NOT NULL,
  received_at_ms BIGINT NOT NULL,
  event_row_id BIGINT NOT NULL,
  seen_count BIGINT NOT NULL,
  PRIMARY KEY (project_id, key, received_at_ms, event_row_id)
);
CREATE INDEX missing_file_event ON missing_file (event_row_id);

-- A stored file that could not be derived, until the deriving code's version changes.
CREATE TABLE derive_failure (
  derived_key TEXT NOT NULL PRIMARY KEY,
  status TEXT NOT NULL,
  reason TEXT NOT NULL,
  created_at_ms BIGINT NOT NULL
);

CREATE TABLE job (
  id BIGINT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  dedupe TEXT NOT NULL,
  payload TEXT NOT NULL,
  visible_at_ms BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  parked_at_ms BIGINT,
  error TEXT
);
CREATE UNIQUE INDEX job_dedupe ON job (kind, dedupe);
CREATE INDEX job_visible ON job (visible_at_ms, id) WHERE parked_at_ms IS NULL;

CREATE TABLE schedule (
  name TEXT NOT NULL PRIMARY KEY,
  next_at_ms BIGINT NOT NULL
);
