-- two databases only
-- The views of before, now on the tables of auth themselves: a view of a view is opened
-- and checked twice at every statement. The columns, the rows and the rights are the
-- same: the account of the gateway may read these views, and nothing else in auth.
CREATE OR REPLACE VIEW live_session AS
SELECT s.id, s.user_id, u.email, u.admin, s.kind, s.scope, s.secret,
       s.created_at, s.expires_at, s.last_used_at
  FROM @AUTH@.session s
  JOIN @AUTH@.user u ON u.id = s.user_id
 WHERE s.revoked_at IS NULL
   AND u.disabled_at IS NULL;

CREATE OR REPLACE VIEW session_use AS
SELECT id, last_used_at
  FROM @AUTH@.session;

CREATE OR REPLACE VIEW live_user AS
SELECT id, email
  FROM @AUTH@.user
 WHERE disabled_at IS NULL;
