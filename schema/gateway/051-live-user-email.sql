-- two databases only
CREATE OR REPLACE VIEW live_user AS
SELECT id, email
  FROM @AUTH@.live_user;
