-- The files that are there already. A program of before that still runs while
-- this does is not counted: gateway-admin quota recount, once it has ended.
INSERT IGNORE INTO quota (owner, bytes, files)
SELECT owner, SUM(size), COUNT(*) FROM file GROUP BY owner;
