/* db_share.h - inside db: how many connections each user holds.
 *
 * A user with the maximum waits for one of their own connections, not for another
 * of the pool: so the slow statements of one user cannot take all connections.
 */
#ifndef DB_SHARE_H
#define DB_SHARE_H

#include "common/base/err.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct db_share; /* one user who holds a connection, or waits for one */

struct db_shares {
	size_t max; /* connections of a user */
	struct db_share *active, *spare;
};

/* For a pool of that many connections */
void db_shares_init(struct db_shares *s, size_t pool);
void db_shares_release(struct db_shares *s);

/* Take one of the connections that `user` may hold; wait for it until `until`
 * (CLOCK_MONOTONIC), with `lock`, which the caller has locked. ERR_OVERLOADED:
 * there was none. ERR_MEMORY. */
enum err db_share_take(struct db_shares *s, uint64_t user,
		       pthread_mutex_t *lock, const struct timespec *until,
		       struct db_share **out, struct errmsg *why) MUST_CHECK;

/* Whether db_share_take() would wait; the caller has locked the lock. */
bool db_share_is_used_up(const struct db_shares *s, uint64_t user);

/* Give it back; the caller has locked `lock`. */
void db_share_give(struct db_shares *s, struct db_share *share);

#endif
