/* quota_unfinished.h - an owner's usage, and what of it unfinished uploads
 * reserve. */
#ifndef QUOTA_UNFINISHED_H
#define QUOTA_UNFINISHED_H

#include "cgi-gateway/tables/quota.h"

/* Like quota_usage(), and also read what unfinished uploads of the owner
 * reserve, which is part of the usage. One round trip. */
enum err quota_usage_and_unfinished(
	struct db *db, struct session_check *session, uint64_t owner,
	const struct quota_limits *defaults, struct usage *out,
	struct amount *unfinished, struct errmsg *why) MUST_CHECK;

#endif
