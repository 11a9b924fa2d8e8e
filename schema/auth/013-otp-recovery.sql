-- Codes for the day when the authenticator is lost: each works once and is
-- then gone. SHA-256 of 80 random bits.
CREATE TABLE otp_recovery (
    user_id BIGINT UNSIGNED NOT NULL,
    hash    BINARY(32) NOT NULL,
    PRIMARY KEY (user_id, hash),
    FOREIGN KEY (user_id) REFERENCES user (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = ascii;
