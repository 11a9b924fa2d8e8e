-- The index of searches by name: for each position of `file.folded` the characters from there
-- on, three at most (one and two at the end), in UTF-8. The files of one gram are in the
-- order of their ids, which is that of the list. Changed in the same transaction as `file`.
CREATE TABLE file_gram (
    owner BIGINT UNSIGNED NOT NULL,
    gram  VARBINARY(12) NOT NULL,
    -- file.id without its hyphens, as bytes.
    id    BINARY(16) NOT NULL,
    PRIMARY KEY (owner, gram, id)
) ENGINE = InnoDB;
