-- A resumable upload (tus), from its creation until it becomes a file of the same id,
-- is terminated, or expires. Its bytes, and its offset, are in the store. After it has
-- become a file the row stays until it expires, so that a client that lost the last
-- response can still ask.
CREATE TABLE upload (
    id          CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    owner       BIGINT UNSIGNED NOT NULL,
    -- 0: one file; 1: a part (partial); 2: joined from parts (final). And the header
    concat      TINYINT UNSIGNED NOT NULL,
    concat_sent VARCHAR(8192) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name        VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL,
    type        VARCHAR(127) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    -- Upload-Metadata as it was sent, for the response to HEAD.
    metadata    VARCHAR(4096) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    -- NULL: not known yet.
    length      BIGINT NULL,
    -- Its share of `quota`; 0 once it is a file, which is counted itself.
    held_bytes  BIGINT NOT NULL,
    held_files  BIGINT NOT NULL,
    -- The expected digest of the file; NULL: none was sent.
    sha256      BINARY(32) NULL,
    -- Lifetime of the file in seconds, from its completion; NULL: no expiry.
    life        BIGINT NULL,
    created_at  BIGINT NOT NULL,
    -- Of the upload, not of the file.
    expires_at  BIGINT NOT NULL,
    -- NULL: not finished.
    finished_at BIGINT NULL,
    KEY upload_owner (owner),
    KEY upload_expires (expires_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
