-- A resumable upload (tus): from its creation until it has become a file of the
-- same id, was ended, or expired. Its bytes, and how many of them count, are in the
-- store. The row stays until it expires, so that a client whose last answer was lost
-- can still learn that all is well.
CREATE TABLE upload (
    id          CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    owner       BIGINT UNSIGNED NOT NULL,
    -- 0 a file by itself, 1 a part of one, 2 put together of parts; and as it was sent
    concat      TINYINT UNSIGNED NOT NULL,
    concat_sent VARCHAR(8192) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name        VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL,
    type        VARCHAR(127) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    -- As it was sent, to be told again.
    metadata    VARCHAR(4096) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    -- NULL: not yet told.
    length      BIGINT NULL,
    -- What it counts in `quota`; nothing once it is a file, which counts itself.
    held_bytes  BIGINT NOT NULL,
    held_files  BIGINT NOT NULL,
    -- That the file is to have; NULL: any.
    sha256      BINARY(32) NULL,
    -- Seconds that the file is to live from its finish on; NULL: it stays.
    life        BIGINT NULL,
    created_at  BIGINT NOT NULL,
    -- Of the upload, not of the file.
    expires_at  BIGINT NOT NULL,
    -- NULL: not yet.
    finished_at BIGINT NULL,
    KEY upload_owner (owner),
    KEY upload_expires (expires_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
