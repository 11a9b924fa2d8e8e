-- The counted downloads of a link in bytes. bytes_left: what they have not sent yet; a
-- request that fits belongs to them and is not counted. Below 0: what was sent twice,
-- within a tolerance. bytes_sending: what requests have taken from bytes_left that are
-- being answered, and may give back. The column `resumes` is no longer used.
ALTER TABLE link
    ADD COLUMN bytes_left BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN bytes_sending BIGINT NOT NULL DEFAULT 0;
