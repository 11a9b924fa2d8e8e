/* account.h - who asks, for the routes about an account. */
#ifndef ACCOUNT_H
#define ACCOUNT_H

#include "cgi-auth/app/auth.h"
#include "cgi-auth/tables/users.h"

/* The session of the request's token lives; then rq->claims is who asks, for an
 * API token too. ERR_BAD_TOKEN when it has ended. One round trip. */
enum err account_check(struct auth *a, struct request *rq,
		       struct response *rs) MUST_CHECK;

/* The same, for what only a login may do: ERR_SCOPE for an API token. An API
 * token that leaks must not make others, end logins or change the password. */
enum err account_check_login(struct auth *a, struct request *rq,
			     struct response *rs) MUST_CHECK;

/* Each with the whole row of the user; for a login still one round trip. */
enum err account_user(struct auth *a, struct request *rq, struct response *rs,
		      struct user *out) MUST_CHECK;
enum err account_login_user(struct auth *a, struct request *rq,
			    struct response *rs, struct user *out) MUST_CHECK;

#endif
