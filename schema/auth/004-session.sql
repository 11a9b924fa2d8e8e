-- What a token belongs to, and what can be ended: a login (kind 'login'), or an
-- API token ('api'). Times are seconds since 1970 UTC.
--
-- secret is the SHA-256 of an API token's secret; a login has none. A row that
-- has ended stays for a while, for whoever looks into what happened, and is
-- removed by `auth-admin gc`. session_user finds the living ones of a user in
-- the order of their making, however many dead ones lie about.
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
