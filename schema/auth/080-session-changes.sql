-- The file in which changes of sessions and users are announced, by its id; '' if there
-- is none (common/db/db_known.h). `since` is seconds since 1970 UTC.
CREATE TABLE session_changes (
    id    TINYINT NOT NULL PRIMARY KEY,
    file  VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    since BIGINT NOT NULL
) ENGINE = InnoDB;

INSERT INTO session_changes VALUES (1, '', 0);
