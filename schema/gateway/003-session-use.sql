-- two databases only
CREATE VIEW session_use AS
SELECT id, last_used_at
  FROM @AUTH@.session_use;
