#include "common/http/pace.h"

enum {
	RETRY = 5, /* seconds; slow requests do not end at once */
};

enum err pace_explain(struct response *rs, enum err e)
{
	switch (e) {
	case ERR_OVERLOADED:
		rs->retry_after = RETRY;
		return response_explain(
			rs, e,
			"As many requests as may (three quarters of "
			"CONNECTIONS) wait for their clients; nothing was "
			"changed. Try again in a few seconds.");
	case ERR_TOO_MANY_UPLOADS:
		rs->retry_after = RETRY;
		return response_explain(
			rs, e,
			"As many requests of this user as may (a share of "
			"CONNECTIONS) wait for their client. Let one end, then "
			"try again.");
	default:
		return e;
	}
}
