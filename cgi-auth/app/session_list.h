/* session_list.h - what /tokens and /sessions have in common: a user's sessions
 * of one kind, listed or one of them ended. For a login only. */
#ifndef SESSION_LIST_H
#define SESSION_LIST_H

#include "cgi-auth/app/auth.h"

/* {"tokens": […]} if `api`, else {"sessions": […]}, each with "current", which
 * is true of the one that asks. */
enum err session_list_answer(struct auth *a, struct request *rq,
			     struct response *rs, bool api) MUST_CHECK;

/* End the one that rq->param names. ERR_NOT_FOUND for another user's too. */
enum err session_list_end(struct auth *a, struct request *rq,
			  struct response *rs, bool api) MUST_CHECK;

#endif
