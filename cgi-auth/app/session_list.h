/* session_list.h - the common part of /tokens and /sessions: list a user's
 * sessions of one kind, or end one. */
#ifndef SESSION_LIST_H
#define SESSION_LIST_H

#include "cgi-auth/app/auth.h"

/* {"tokens": […]} if `api`, else {"sessions": […]}; "current" is true for
 * the session of the request itself. */
enum err session_list_answer(struct auth *a, struct request *rq,
			     struct response *rs, bool api) MUST_CHECK;

/* End the session whose id is rq->param. ERR_NOT_FOUND: this user has no such
 * session. */
enum err session_list_end(struct auth *a, struct request *rq,
			  struct response *rs, bool api) MUST_CHECK;

#endif
