-- The same as session_changes, for the changes of files.
CREATE TABLE file_changes (
    id    TINYINT NOT NULL PRIMARY KEY,
    file  VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    since BIGINT NOT NULL
) ENGINE = InnoDB;

INSERT INTO file_changes VALUES (1, '', 0);
