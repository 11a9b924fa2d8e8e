-- The second factor of a user (RFC 6238). The secret must be had as it is to
-- compute a code, so it is not hashed; only cgi-auth's account may read it.
-- It has no force until confirmed_at. last_step is the last 30-second step of
-- which a code was taken: it and those before it are used up.
CREATE TABLE otp (
    user_id      BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    secret       BINARY(20) NOT NULL,
    last_step    BIGINT NOT NULL DEFAULT 0,
    created_at   BIGINT NOT NULL,
    confirmed_at BIGINT NULL,
    FOREIGN KEY (user_id) REFERENCES user (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = ascii;
