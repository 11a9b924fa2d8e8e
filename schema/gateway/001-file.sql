-- A complete file. The row is inserted after the bytes are synced to disk, and deleted
-- before they are. Times are seconds since 1970 UTC.
CREATE TABLE file (
    -- UUIDv7 as text, which sorts by time: the newest files of an owner are
    -- adjacent at the end of (owner, id).
    id         CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    -- user.id of the auth database. No foreign key: it may be on another server.
    owner      BIGINT UNSIGNED NOT NULL,
    name       VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL,
    type       VARCHAR(127) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    size       BIGINT UNSIGNED NOT NULL,
    sha256     BINARY(32) NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NULL,
    KEY file_owner (owner, id),
    KEY file_expires (expires_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
