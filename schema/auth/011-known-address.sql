-- Addresses from which an account was logged into rightly: guesses made
-- elsewhere do not delay it there. `account` is what throttle.h calls so.
CREATE TABLE known_address (
    account   BINARY(32) NOT NULL,
    address   VARCHAR(45) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    last_seen BIGINT NOT NULL,
    PRIMARY KEY (account, address),
    KEY known_address_seen (last_seen)
) ENGINE = InnoDB DEFAULT CHARSET = ascii;
