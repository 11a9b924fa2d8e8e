-- Extends a tutorial's table to accounts, in one statement, so it is applied whole or
-- not at all. Times are seconds since 1970 UTC.
--
-- email ignores case. password does not: it is a hash or, in a row of a tutorial,
-- still the plain text, which the first login replaces. The program compares
-- passwords, SQL never does.
ALTER TABLE user
    MODIFY id       BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    MODIFY email    VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL,
    MODIFY password VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    ADD admin       BOOLEAN NOT NULL DEFAULT 0,
    ADD scope       VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin
                    NOT NULL DEFAULT 'files:read files:write',
    ADD created_at  BIGINT NOT NULL DEFAULT 0,
    ADD disabled_at BIGINT NULL,
    ADD password_changed_at BIGINT NOT NULL DEFAULT 0,
    ENGINE = InnoDB;
