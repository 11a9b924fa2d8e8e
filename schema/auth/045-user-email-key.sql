-- Two emails are one if they differ in the case of letters only: müller@ and muller@
-- are two people, whom the collation of `email` takes for one. email_key is compared
-- byte by byte. Its expression is that of cgi-auth/tables/email_key.h; U+03C2 is the
-- final sigma, of which the capital is that of sigma (U+03C3). CHAR(), because MariaDB
-- keeps the expression as text, in which a literal of bytes would become one of letters.
--
-- Rows are kept as they are, and cannot conflict: emails with equal keys are equal in
-- the old collation too. The unique index of `email`, whatever its name, becomes an
-- ordinary one, which a program of an earlier version uses.
SET @old = (
    SELECT GROUP_CONCAT(DISTINCT CONCAT(' DROP KEY `', one.index_name, '`,') SEPARATOR '')
    FROM information_schema.statistics one
    WHERE one.table_schema = DATABASE() AND one.table_name = 'user'
      AND one.column_name = 'email' AND one.seq_in_index = 1 AND one.non_unique = 0
      AND NOT EXISTS (
          SELECT 1 FROM information_schema.statistics more
          WHERE more.table_schema = one.table_schema AND more.table_name = one.table_name
            AND more.index_name = one.index_name AND more.seq_in_index > 1)
);
SET @statement = CONCAT(
    'ALTER TABLE user', COALESCE(@old, ''),
    ' ADD email_key VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin',
    ' GENERATED ALWAYS AS (REPLACE(LOWER(email),',
    ' CHAR(0xCF82 USING utf8mb4), CHAR(0xCF83 USING utf8mb4))) STORED,',
    ' ADD UNIQUE KEY user_email_key (email_key),',
    ' ADD KEY user_email_spelling (email)'
);
PREPARE statement FROM @statement;
EXECUTE statement;
DEALLOCATE PREPARE statement;
