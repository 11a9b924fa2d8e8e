-- The name in the form that searches compare: see cgi-gateway/parse/name_fold.h. NULL until
-- a row of an older version is indexed (gateway-admin index, gc). A search of an owner with
-- such a row reads all names of that owner.
ALTER TABLE file
    ADD COLUMN folded VARCHAR(1530) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    ADD KEY file_folded (folded(1), owner);
