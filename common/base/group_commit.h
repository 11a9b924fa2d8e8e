/* group_commit.h - threads that do the same work at the same time share it.
 *
 *	struct mine { struct group_member member; ... } m = { ... };
 *	group_commit_join(&g, &m.member);	calls run() here or elsewhere
 *
 * A thread that finds nobody at work does its own, at once. Those that arrive
 * meanwhile wait; when it is done, the first of them does the work of all who
 * wait, at most GROUP_COMMIT_MAX. So a lone thread never waits, and nobody waits
 * for a clock: the groups grow with the load. The order is that of arrival.
 *
 * If the work at hand is stuck, those who wait stop waiting after
 * GROUP_COMMIT_WAIT_MS and do their own, as do all who arrive until it is done.
 */
#ifndef GROUP_COMMIT_H
#define GROUP_COMMIT_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

enum {
	GROUP_COMMIT_MAX = 8,
	GROUP_COMMIT_WAIT_MS = 100,
};

struct group_member {
	struct group_member *next; /* in the queue */
	pthread_cond_t turn;
	bool leads, taken, done;
};

/* Do the work of `count` members, one at least. Runs in the thread of the
 * first, and never twice at a time. */
typedef void group_commit_fn(void *arg, struct group_member **members,
			     size_t count);

struct group_commit {
	group_commit_fn *run;
	void *arg;
	pthread_mutex_t lock;
	struct group_member *first, *last; /* those who wait */
	bool busy;			   /* run() is at work */
	bool stuck;			   /* for too long */
};

void group_commit_init(struct group_commit *g, group_commit_fn *run, void *arg);
void group_commit_release(struct group_commit *g);

/* Return true when a run() that had `m` has returned: what it wrote to the
 * members is visible. Return false if the caller must do the work itself, and no
 * run() has it. `m` needs no initial value. */
bool group_commit_join(struct group_commit *g, struct group_member *m);

#endif
