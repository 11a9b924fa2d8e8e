/* GET /sessions, DELETE /sessions/{id}: list the logins of the user, and end
 * one. API tokens are not among them (GET /tokens). */
#include "cgi-auth/app/session_list.h"

enum err handle_sessions(void *app, struct request *rq, struct response *rs)
{
	return session_list_answer(app, rq, rs, false);
}

enum err handle_session_end(void *app, struct request *rq, struct response *rs)
{
	return session_list_end(app, rq, rs, false);
}
