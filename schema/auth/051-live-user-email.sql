-- The email too: events name the owner of a file, who need not be logged in.
CREATE OR REPLACE VIEW live_user AS
SELECT id, email
  FROM user
 WHERE disabled_at IS NULL;
