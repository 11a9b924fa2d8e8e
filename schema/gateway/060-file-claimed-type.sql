-- The type that the client claimed; `type` is detected from the bytes. NULL for files
-- from before detection: their `type` is what the client claimed.
ALTER TABLE file
    ADD COLUMN claimed_type VARCHAR(127) CHARACTER SET ascii COLLATE ascii_general_ci NULL AFTER type;
