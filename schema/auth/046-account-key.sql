-- The account of an email that is not ASCII has another key (cgi-auth/tables/throttle.h):
-- copy what was counted and which addresses are known under the key of before. The old
-- rows stay for a program of an earlier version, and are removed by age.
INSERT IGNORE INTO known_address (account, address, last_seen)
SELECT UNHEX(SHA2(RTRIM(u.email_key), 256)), k.address, k.last_seen
  FROM user u
  JOIN known_address k
    ON k.account = UNHEX(SHA2(WEIGHT_STRING(
         CAST(u.email AS CHAR CHARACTER SET utf8mb4)
         COLLATE utf8mb4_unicode_ci AS CHAR(255)), 256))
 WHERE LENGTH(u.email) <> CHAR_LENGTH(u.email);

INSERT IGNORE INTO throttle
       (bucket, failures, pending, since, blocked_until, updated_at)
SELECT CONCAT('a', UNHEX(SHA2(RTRIM(u.email_key), 256))),
       t.failures, 0, t.since, t.blocked_until, t.updated_at
  FROM user u
  JOIN throttle t
    ON t.bucket = CONCAT('a', UNHEX(SHA2(WEIGHT_STRING(
         CAST(u.email AS CHAR CHARACTER SET utf8mb4)
         COLLATE utf8mb4_unicode_ci AS CHAR(255)), 256)))
 WHERE LENGTH(u.email) <> CHAR_LENGTH(u.email);
