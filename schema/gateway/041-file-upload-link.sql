-- The upload link that a file was uploaded by, so that the owner can tell it from their
-- own (NULL). It stays after the row of the link was removed.
ALTER TABLE file
    ADD upload_link CHAR(22) CHARACTER SET ascii COLLATE ascii_bin NULL;
