-- From a tutorial's table to an account. One statement, so it happens or it does
-- not. Times are seconds since 1970 UTC.
--
-- email compares without regard to case. password does not: it is a hash, or,
-- in a row that came from a tutorial, still the plain text that a first login
-- replaces. It compares in the program, never here.
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
