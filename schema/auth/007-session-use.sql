-- The only column that the gateway may write here: when a token was last used.
CREATE VIEW session_use AS
SELECT id, last_used_at
  FROM session;
