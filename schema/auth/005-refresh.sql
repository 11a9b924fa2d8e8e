-- Refresh tokens, as the SHA-256 of their text. All tokens of one session are a
-- family: each is spent once, for its successor, which is next_hash. A spent token
-- stays until it would have expired, so that its reuse is detected.
CREATE TABLE refresh (
    hash       BINARY(32) NOT NULL PRIMARY KEY,
    session_id CHAR(22) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    spent_at   BIGINT NULL,
    next_hash  BINARY(32) NULL,
    KEY refresh_session (session_id, created_at),
    KEY refresh_expires (expires_at)
) ENGINE = InnoDB;
