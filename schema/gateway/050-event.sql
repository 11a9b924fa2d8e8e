-- What happened to a file, for one receiver that has not been told of it yet: a row
-- for each. Written in the same transaction as the row of `file`, and deleted when
-- the receiver has taken it. Times are seconds since 1970 UTC.
CREATE TABLE event (
    -- Of two events of one file the later has the higher number.
    id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    -- An address of EVENT_URLS.
    receiver   VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    -- uploaded, deleted, expired
    kind       VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    at         BIGINT NOT NULL,
    -- The row of `file` as it was then: it may be gone by now.
    file_id    CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    owner      BIGINT UNSIGNED NOT NULL,
    name       VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL,
    type       VARCHAR(127) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    size       BIGINT UNSIGNED NOT NULL,
    sha256     BINARY(32) NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NULL,
    upload_link CHAR(22) CHARACTER SET ascii COLLATE ascii_bin NULL,
    -- What has been tried. Who tries puts due_at behind the end of the attempt, so
    -- that nobody else does meanwhile, and another does if this one never ends.
    attempts   INT UNSIGNED NOT NULL DEFAULT 0,
    tried_at   BIGINT NULL,
    due_at     BIGINT NOT NULL,
    -- Given up: shown to the operator, and in nobody's way.
    dead_at    BIGINT NULL,
    why        VARCHAR(200) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
    KEY event_due (receiver, dead_at, due_at),
    KEY event_file (receiver, file_id, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
