-- An upload link: whoever has its secret may upload files into the owner's space,
-- within these limits. Changed in the same transaction as `quota` and `file`.
CREATE TABLE upload_link (
    -- Identifies the link in lists and for revoking; independent of the secret.
    id             CHAR(22) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    -- SHA-256 of the secret in the URL, which is stored nowhere.
    hash           BINARY(32) NOT NULL UNIQUE,
    owner          BIGINT UNSIGNED NOT NULL,
    -- The purpose, which is shown to people who upload; may be empty.
    name           VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    created_at     BIGINT NOT NULL,
    -- NULL: never, not yet, without limit
    expires_at     BIGINT NULL,
    revoked_at     BIGINT NULL,
    max_files      INT UNSIGNED NULL,
    max_bytes      BIGINT NULL,
    max_file_bytes BIGINT NULL,
    -- Uploaded so far, deleted files included.
    files          INT UNSIGNED NOT NULL DEFAULT 0,
    bytes          BIGINT NOT NULL DEFAULT 0,
    last_upload_at BIGINT NULL,
    KEY upload_link_owner (owner, created_at),
    KEY upload_link_expires (expires_at),
    KEY upload_link_revoked (revoked_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
