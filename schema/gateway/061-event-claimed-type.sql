-- An event has the same columns as the row of `file`.
ALTER TABLE event
    ADD COLUMN claimed_type VARCHAR(127) CHARACTER SET ascii COLLATE ascii_general_ci NULL AFTER type;
