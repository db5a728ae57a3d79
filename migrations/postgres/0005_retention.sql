-- Blobs that lost a row which named them. Each is looked at after a while, and removed if no row names it then.
CREATE TABLE blob_garbage (
  sha256 BYTEA NOT NULL PRIMARY KEY,
  delete_after_ms BIGINT NOT NULL,
  deleting_at_ms BIGINT
);
CREATE INDEX blob_garbage_due ON blob_garbage (delete_after_ms);

-- Who names a blob.
CREATE INDEX attachment_blob ON attachment (sha256) WHERE body IS NULL;
CREATE INDEX chunk_blob ON chunk (sha256);
CREATE INDEX debug_file_blob ON debug_file (sha256);
CREATE INDEX artifact_bundle_blob ON artifact_bundle (sha256);
