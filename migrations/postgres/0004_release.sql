-- What releases of a project are known, from events and from uploads. Counts are of events received.
-- Frames: those that symbolication had a verdict about; frames that were sent readable are not counted.
CREATE TABLE release (
  project_id BIGINT NOT NULL,
  version TEXT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  active_at_ms BIGINT NOT NULL,
  first_event_ms BIGINT,
  last_event_ms BIGINT,
  n BIGINT NOT NULL,
  frames_resolved BIGINT NOT NULL,
  frames_unresolved BIGINT NOT NULL,
  PRIMARY KEY (project_id, version)
);
CREATE INDEX release_active ON release (project_id, active_at_ms, version);

-- Issues by the release they appeared in, and by the releases they were seen in.
CREATE INDEX issue_first_release ON issue (project_id, first_release) WHERE first_release IS NOT NULL;
CREATE INDEX issue_tag_release ON issue_tag (value, issue_id) WHERE key = 'release';

-- Lists of files, newest first.
CREATE INDEX debug_file_project ON debug_file (project_id, id);
CREATE INDEX artifact_bundle_project_project ON artifact_bundle_project (project_id, bundle_id);
CREATE INDEX artifact_bundle_release_release ON artifact_bundle_release (release, bundle_id);

-- Of events before this migration issues know the releases, but not when each began; frames were not counted.
INSERT INTO release (project_id, version, created_at_ms, active_at_ms, first_event_ms, last_event_ms, n,
  frames_resolved, frames_unresolved)
SELECT i.project_id, t.value, MIN(i.first_seen_ms), MAX(t.last_seen_ms),
  MIN(CASE WHEN i.first_release = t.value THEN i.first_seen_ms END), MAX(t.last_seen_ms), SUM(t.n), 0, 0
FROM issue_tag t
JOIN issue i ON i.id = t.issue_id
WHERE t.key = 'release'
GROUP BY i.project_id, t.value;

INSERT INTO release (project_id, version, created_at_ms, active_at_ms, first_event_ms, last_event_ms, n,
  frames_resolved, frames_unresolved)
SELECT p.project_id, r.release, MIN(r.created_at_ms), MAX(r.created_at_ms), NULL, NULL, 0, 0, 0
FROM artifact_bundle_release r
JOIN artifact_bundle_project p ON p.bundle_id = r.bundle_id
WHERE r.release <> ''
GROUP BY p.project_id, r.release
ON CONFLICT (project_id, version) DO NOTHING;
