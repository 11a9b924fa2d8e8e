/* owners.h - Ann, Bob and Root, who own files, in the database of a test. */
#ifndef OWNERS_H
#define OWNERS_H

#include "tests/unit/cgi-gateway/file_table.h"

enum { NOW = 1767225600, ANN = 42, BOB = 43, ROOT = 44 };
static const struct quota_limits unlimited = { QUOTA_NONE, QUOTA_NONE };

static struct db *db;
static struct errmsg why;

/* Once for all tests of a program. Some have more threads than connections:
 * those wait */
static inline int owners_open(void **state)
{
	(void)state;
	db = mariadb_pool(16);
	file_table_make();
	sessions_user(db, ANN, "ann@example.org", false);
	sessions_user(db, BOB, "bob@example.org", false);
	sessions_user(db, ROOT, "root@example.org", true);
	return 0;
}

static inline int owners_close(void **state)
{
	(void)state;
	db_close(db);
	return 0;
}

/* No files, and a session for each of them */
static inline int owners_clear(void **state)
{
	(void)state;
	why.text[0] = '\0';
	file_table_clear(db);
	for (uint64_t user = ANN; user <= ROOT; user++) {
		sessions_disable(db, user, false);
		sessions_put(db, &(struct session) { .user = user });
	}
	return 0;
}

/* A thread needs one of its own: a session_check borrows from its request, and
 * session_of() is for one thread */
struct asker {
	char id[IDENT_LEN + 1];
	struct request rq;
	struct session_check session;
};

static inline struct session_check *asking(struct asker *a, uint64_t user)
{
	(void)snprintf(a->id, sizeof(a->id), "%022llu",
		       (unsigned long long)user);
	a->rq = (struct request) { .now = NOW };
	session_show(&a->rq, a->id, NULL);
	session_check_init(&a->session, &a->rq, "");
	return &a->session;
}

#endif
