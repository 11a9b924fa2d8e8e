-- Login attempts, counted for all machines that share this database
-- (cgi-auth/tables/throttle.h). Rows are found by their whole key, and removed by age.
CREATE TABLE throttle (
    bucket        VARBINARY(48) NOT NULL PRIMARY KEY,
    failures      INT NOT NULL,
    pending       INT NOT NULL,
    since         BIGINT NOT NULL,
    blocked_until BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL,
    KEY throttle_updated (updated_at)
) ENGINE = InnoDB DEFAULT CHARSET = ascii;
