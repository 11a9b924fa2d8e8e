-- Users who are not disabled: only their upload links work. The gateway can read
-- nothing else about a user who is not logged in.
CREATE VIEW live_user AS
SELECT id
  FROM user
 WHERE disabled_at IS NULL;
