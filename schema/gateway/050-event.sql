-- The transactional outbox: one row for each event of a file and each receiver that has
-- not accepted it yet. Inserted in the same transaction as the row of `file`, and
-- deleted when the receiver has accepted it. Times are seconds since 1970 UTC.
CREATE TABLE event (
    -- Of two events of one file, the later one has the higher number.
    id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    -- An address of EVENT_URLS.
    receiver   VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    -- uploaded, deleted, expired
    kind       VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    at         BIGINT NOT NULL,
    -- The row of `file` at the time of the event: it may be deleted by now.
    file_id    CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    owner      BIGINT UNSIGNED NOT NULL,
    name       VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL,
    type       VARCHAR(127) CHARACTER SET ascii COLLATE ascii_general_ci NOT NULL,
    size       BIGINT UNSIGNED NOT NULL,
    sha256     BINARY(32) NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NULL,
    upload_link CHAR(22) CHARACTER SET ascii COLLATE ascii_bin NULL,
    -- Attempts so far. A process that sends the event sets due_at to a time after the end
    -- of its attempt, so that no other process sends it meanwhile, and one does if the
    -- first never finishes.
    attempts   INT UNSIGNED NOT NULL DEFAULT 0,
    tried_at   BIGINT NULL,
    due_at     BIGINT NOT NULL,
    -- Given up. Listed for the operator; later events do not wait for it.
    dead_at    BIGINT NULL,
    why        VARCHAR(200) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
    KEY event_due (receiver, dead_at, due_at),
    KEY event_file (receiver, file_id, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
