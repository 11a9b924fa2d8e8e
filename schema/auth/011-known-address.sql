-- Addresses from which a login to an account succeeded. Failed guesses from other
-- addresses do not delay logins from them. throttle.h defines `account`.
CREATE TABLE known_address (
    account   BINARY(32) NOT NULL,
    address   VARCHAR(45) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    last_seen BIGINT NOT NULL,
    PRIMARY KEY (account, address),
    KEY known_address_seen (last_seen)
) ENGINE = InnoDB DEFAULT CHARSET = ascii;
