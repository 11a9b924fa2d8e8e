-- The table that every tutorial of this design starts from. Where one stands
-- already, it and its rows are kept, and the next steps grow it.
CREATE TABLE IF NOT EXISTS user (
    id       BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    email    VARCHAR(255) NOT NULL UNIQUE,
    password VARCHAR(255) NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
