/* audit.h - the table `audit`: who did what, from where.
 *
 * One row for each login, right or wrong, and for each change to an account,
 * its sessions, tokens or second factor. `event` is a word like "login",
 * "password", "refresh-reuse"; `detail` is the outcome ("ok", "wrong-password")
 * or says which of several it was. An attempt that throttle.h refused has no
 * row, so that a flood cannot fill the table; the failures before it have rows.
 *
 * audit_add() deletes rows that are older than the given days, AUDIT_SWEEP at a
 * time, so the table needs no maintenance.
 */
#ifndef AUDIT_H
#define AUDIT_H

#include "common/base/err.h"
#include "common/db/db.h"

enum {
	AUDIT_EVENT_MAX = 32,	/* bytes, as all below */
	AUDIT_EMAIL_MAX = 255,	/* unverified: as a client sent it */
	AUDIT_ADDRESS_MAX = 45, /* the client's, or "auth-admin" */
	AUDIT_REQUEST_MAX = 64, /* its id, or the Unix user of auth-admin */
	AUDIT_DETAIL_MAX = 255,
	AUDIT_SWEEP = 64,	/* rows deleted at a time */
	AUDIT_SWEEP_EVERY = 16, /* inserts, on average */
};

struct audit_entry {
	const char *event;
	uint64_t user_id; /* 0: no user has that email */
	const char *email, *address, *request_id, *detail;
};

/* Add a row with the time `now`; now and then delete old ones. Texts that are
 * too long are cut. */
enum err audit_add(struct db *db, const struct audit_entry *e, int64_t now,
		   int64_t days, struct errmsg *why) MUST_CHECK;

/* Add it within the transaction of what it records; audit_sweep() deletes old
 * rows now and then, after the commit. */
enum err audit_add_within(struct db_conn *c, const struct audit_entry *e,
			  int64_t now, struct errmsg *why) MUST_CHECK;
enum err audit_sweep(struct db *db, int64_t now, int64_t days,
		     struct errmsg *why) MUST_CHECK;

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

/* Call `each` for the last `count` rows, oldest first; of one email, or of all
 * for "". Any value but ERR_OK ends the walk and is the result. */
typedef enum err audit_each_fn(const struct audit_row *row, void *arg);
enum err audit_last(struct db *db, const char *email, int64_t count,
		    audit_each_fn *each, void *arg,
		    struct errmsg *why) MUST_CHECK;

#endif
