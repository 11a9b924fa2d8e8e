-- A share link: whoever shows its secret may download the file. The row outlives
-- the file, so that a link to a deleted one can say that it is gone.
CREATE TABLE link (
    -- Its name, for the list and to revoke it; tells nothing of the secret.
    id               CHAR(22) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    -- SHA-256 of the secret in the URL, which is stored nowhere.
    hash             BINARY(32) NOT NULL UNIQUE,
    file_id          CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    owner            BIGINT UNSIGNED NOT NULL,
    created_at       BIGINT NOT NULL,
    -- NULL: never, not yet, without limit
    expires_at       BIGINT NULL,
    revoked_at       BIGINT NULL,
    max_downloads    INT UNSIGNED NULL,
    downloads        INT UNSIGNED NOT NULL DEFAULT 0,
    last_download_at BIGINT NULL,
    -- ranges let through since then, see docs/decisions/0017-a-resumed-download-is-one.md
    resumes          INT UNSIGNED NOT NULL DEFAULT 0,
    KEY link_file (file_id),
    KEY link_expires (expires_at),
    KEY link_revoked (revoked_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
