-- two databases only
CREATE VIEW session_changes AS
SELECT id, file, since
  FROM @AUTH@.session_changes;
