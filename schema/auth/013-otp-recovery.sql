-- Recovery codes, for users who lost their authenticator: SHA-256 of 80 random bits.
-- Each works once, and its row is deleted then.
CREATE TABLE otp_recovery (
    user_id BIGINT UNSIGNED NOT NULL,
    hash    BINARY(32) NOT NULL,
    PRIMARY KEY (user_id, hash),
    FOREIGN KEY (user_id) REFERENCES user (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = ascii;
