-- Bodies of uploads that are being received: what each announced, so that one user cannot
-- fill the disk on which the web server buffers them. Removed when the request ends; a row
-- whose request never ended, because its client or a program died, counts until expires_at.
CREATE TABLE admission (
    id         CHAR(22) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    -- The owner of the files, also of an upload by a link.
    owner      BIGINT UNSIGNED NOT NULL,
    bytes      BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    KEY admission_expires (expires_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

-- Its only row is changed before a row of `admission` is added, so that sums are exact.
CREATE TABLE admission_lock (
    id      TINYINT UNSIGNED NOT NULL PRIMARY KEY,
    changes BIGINT UNSIGNED NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
INSERT INTO admission_lock (id, changes) VALUES (1, 0);
