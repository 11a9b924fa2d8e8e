-- What the client said the file was; `type` is what its bytes say. NULL where the
-- file came before anybody looked at bytes: there `type` is the client's word alone.
ALTER TABLE file
    ADD COLUMN claimed_type VARCHAR(127) CHARACTER SET ascii COLLATE ascii_general_ci NULL AFTER type;
