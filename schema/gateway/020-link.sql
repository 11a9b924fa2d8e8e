-- A share link: whoever has its secret may download the file. The row outlives the
-- file, so that a link to a deleted file is answered with 410.
CREATE TABLE link (
    -- Identifies the link in lists and for revoking; independent of the secret.
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
    -- Later ranges since then that were not counted, see docs/decisions/0014-a-resumed-download-counts-once.md
    resumes          INT UNSIGNED NOT NULL DEFAULT 0,
    KEY link_file (file_id),
    KEY link_expires (expires_at),
    KEY link_revoked (revoked_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
