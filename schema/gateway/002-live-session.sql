-- two databases only
-- The same view under the same name, so that statements do not depend on where the
-- tables are. It runs with the rights of its creator: the account of the gateway needs
-- none on the tables of auth.
CREATE VIEW live_session AS
SELECT id, user_id, email, admin, kind, scope, secret,
       created_at, expires_at, last_used_at
  FROM @AUTH@.live_session;
