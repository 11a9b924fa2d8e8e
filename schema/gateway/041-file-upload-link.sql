-- The upload link by which a file came, so that its owner can tell what is from
-- others; NULL: the owner's own. The row of a dead link goes, this stays.
ALTER TABLE file
    ADD upload_link CHAR(22) CHARACTER SET ascii COLLATE ascii_bin NULL;
