-- Count the existing files. Uploads by an old program that still runs are not
-- counted: run gateway-admin quota recount once it has ended.
INSERT IGNORE INTO quota (owner, bytes, files)
SELECT owner, SUM(size), COUNT(*) FROM file GROUP BY owner;
