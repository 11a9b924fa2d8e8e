-- An event has all that the row of `file` has.
ALTER TABLE event
    ADD COLUMN claimed_type VARCHAR(127) CHARACTER SET ascii COLLATE ascii_general_ci NULL AFTER type;
