-- Who did what, from which address. Rows outlive their user, so there is no foreign
-- key. cgi-auth removes rows that are older than AUDIT_DAYS.
CREATE TABLE audit (
    id         BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    at         BIGINT NOT NULL,
    event      VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    user_id    BIGINT UNSIGNED NULL,
    email      VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL,
    address    VARCHAR(45) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    request_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    detail     VARCHAR(255) CHARACTER SET utf8mb4 NOT NULL,
    KEY audit_at (at),
    KEY audit_email (email)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
