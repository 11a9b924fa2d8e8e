-- The active sessions: not ended, and of a user who is not disabled. Both programs
-- join it into their statements (common/access/session_check.h).
CREATE VIEW live_session AS
SELECT s.id, s.user_id, u.email, u.admin, s.kind, s.scope, s.secret,
       s.created_at, s.expires_at, s.last_used_at
  FROM session s
  JOIN user u ON u.id = s.user_id
 WHERE s.revoked_at IS NULL
   AND u.disabled_at IS NULL;
