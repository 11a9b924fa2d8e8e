-- A session: a login (kind 'login') or an API token ('api'). Every token belongs to
-- one, and it can be ended. Times are seconds since 1970 UTC.
--
-- secret is the SHA-256 of the secret of an API token; a login has none. The row of an
-- ended session stays for a while, for investigations, and is removed by
-- `auth-admin gc`. The index session_user finds the active sessions of a user in the
-- order of creation, however many ended ones there are.
CREATE TABLE session (
    id           CHAR(22) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    user_id      BIGINT UNSIGNED NOT NULL,
    kind         VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name         VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
    scope        VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    secret       BINARY(32) NULL,
    address      VARCHAR(45) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NULL,
    revoked_at   BIGINT NULL,
    last_used_at BIGINT NULL,
    KEY session_user (user_id, kind, revoked_at, created_at),
    KEY session_expires (expires_at, revoked_at)
) ENGINE = InnoDB;
