/* audit.h - the table `audit`: who did what, from where.
 *
 * One row for a login that passed or failed, and for a change to an account,
 * its sessions, tokens or second factor; `event` is a word like "login",
 * "password", "refresh-reuse", `detail` how it went ("ok", "wrong-password") or
 * which of several it was. Attempts that throttle.h refused have no row: those
 * who flood cannot fill the table; the failures that led to it are there.
 *
 * Rows older than the given days are removed in passing, AUDIT_SWEEP at a time,
 * so the table keeps its size without anybody's care.
 */
#ifndef AUDIT_H
#define AUDIT_H

#include "common/base/err.h"
#include "common/db/db.h"

enum {
	AUDIT_EVENT_MAX = 32,	/* bytes, as all below */
	AUDIT_EMAIL_MAX = 255,	/* what a client claims to be, too */
	AUDIT_ADDRESS_MAX = 45, /* or "auth-admin" */
	AUDIT_REQUEST_MAX = 64, /* or the Unix user of auth-admin */
	AUDIT_DETAIL_MAX = 255,
	AUDIT_SWEEP = 64,	/* rows removed at a time */
	AUDIT_SWEEP_EVERY = 16, /* inserts, on average */
};

struct audit_entry {
	const char *event;
	uint64_t user_id; /* 0: no user is known by that email */
	const char *email, *address, *request_id, *detail;
};

/* Add a row at the time `now`; now and then remove old ones. Texts that are too
 * long are cut. */
enum err audit_add(struct db *db, const struct audit_entry *e, int64_t now,
		   int64_t days, struct errmsg *why) MUST_CHECK;

/* A row as it is read. */
struct audit_row {
	int64_t id, at;
	uint64_t user_id; /* 0: none */
	char event[AUDIT_EVENT_MAX + 1];
	char email[AUDIT_EMAIL_MAX * 4 + 1];
	char address[AUDIT_ADDRESS_MAX + 1];
	char request_id[AUDIT_REQUEST_MAX + 1];
	char detail[AUDIT_DETAIL_MAX * 4 + 1];
};

/* The last `count` rows, oldest first; of one email, or of all for "". `each`
 * ends the walk by any value but ERR_OK. */
typedef enum err audit_each_fn(const struct audit_row *row, void *arg);
enum err audit_last(struct db *db, const char *email, int64_t count,
		    audit_each_fn *each, void *arg,
		    struct errmsg *why) MUST_CHECK;

#endif
