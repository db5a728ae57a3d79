-- Lists of the newest issues first.
CREATE INDEX issue_first_seen ON issue (project_id, status, first_seen_ms, id);

-- Which issues have a tag, and whether any has it. Written once for each new value of an issue, not for each event.
CREATE INDEX issue_tag_value ON issue_tag (key, value, issue_id);
