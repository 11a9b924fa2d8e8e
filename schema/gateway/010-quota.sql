-- The usage and the limits of each owner. Changed in the same transaction as `file`, so
-- that it always agrees with its rows; gateway-admin quota recount repairs it.
CREATE TABLE quota (
    owner     BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    bytes     BIGINT NOT NULL DEFAULT 0,
    files     BIGINT NOT NULL DEFAULT 0,
    -- NULL: the settings QUOTA_BYTES and QUOTA_FILES; 0: no limit.
    max_bytes BIGINT NULL,
    max_files BIGINT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
