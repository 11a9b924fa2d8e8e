-- Whose upload links are open: users who were not disabled. All that the gateway
-- sees of somebody who is not logged in.
CREATE VIEW live_user AS
SELECT id
  FROM user
 WHERE disabled_at IS NULL;
