-- A tutorial's table may lack the unique index on email. Prepared, because MySQL has
-- no ADD INDEX IF NOT EXISTS. It fails if two rows have the same email: a person has
-- to decide which of them is the user.
SET @statement = (
    SELECT IF(COUNT(*) > 0, 'DO 0', 'ALTER TABLE user ADD UNIQUE KEY email (email)')
    FROM information_schema.statistics one
    WHERE table_schema = DATABASE() AND table_name = 'user'
      AND column_name = 'email' AND seq_in_index = 1 AND non_unique = 0
      AND NOT EXISTS (
          SELECT 1 FROM information_schema.statistics more
          WHERE more.table_schema = one.table_schema AND more.table_name = one.table_name
            AND more.index_name = one.index_name AND more.seq_in_index > 1)
);
PREPARE statement FROM @statement;
EXECUTE statement;
DEALLOCATE PREPARE statement;
