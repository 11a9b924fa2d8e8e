-- two databases only
CREATE VIEW live_user AS
SELECT id
  FROM @AUTH@.live_user;
