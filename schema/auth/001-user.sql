-- The table that tutorials of this design begin with. If it exists, it and its rows
-- are kept, and the next migrations extend it.
CREATE TABLE IF NOT EXISTS user (
    id       BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    email    VARCHAR(255) NOT NULL UNIQUE,
    password VARCHAR(255) NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
