-- Attempts in progress are counted by the time in which they began, so that those of a
-- program that was killed expire, whatever else happens (cgi-auth/tables/throttle.h):
-- `pending` is of the time slot `slot`, `pending_before` of the slot before it.
ALTER TABLE throttle
    ADD slot           BIGINT NOT NULL DEFAULT 0,
    ADD pending_before INT NOT NULL DEFAULT 0;
