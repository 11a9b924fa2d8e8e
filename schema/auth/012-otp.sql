-- The second factor of a user (RFC 6238). Codes are computed from the secret itself,
-- so it is not hashed; only the account of cgi-auth may read it. It takes effect at
-- confirmed_at. last_step is the latest 30-second step whose code was accepted: codes
-- of it and of earlier steps are used up.
CREATE TABLE otp (
    user_id      BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    secret       BINARY(20) NOT NULL,
    last_step    BIGINT NOT NULL DEFAULT 0,
    created_at   BIGINT NOT NULL,
    confirmed_at BIGINT NULL,
    FOREIGN KEY (user_id) REFERENCES user (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = ascii;
