#include "common/db/db_share.h"

#include <stdlib.h>

enum {
	SHARE = 2, /* a user may hold one of so many connections */
};

struct db_share {
	struct db_share *next;
	uint64_t user;
	size_t held, waiting;
	pthread_cond_t given;
};

void db_shares_init(struct db_shares *s, size_t pool)
{
	*s = (struct db_shares) { .max = pool / SHARE > 0 ? pool / SHARE : 1 };
}

static void free_list(struct db_share *s)
{
	while (s != NULL) {
		struct db_share *next = s->next;

		(void)pthread_cond_destroy(&s->given);
		free(s);
		s = next;
	}
}

void db_shares_release(struct db_shares *s)
{
	free_list(s->active);
	free_list(s->spare);
}

static struct db_share *new_share(void)
{
	struct db_share *share = calloc(1, sizeof(*share));
	pthread_condattr_t attr;

	if (share == NULL)
		return NULL;
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&share->given, &attr);
	(void)pthread_condattr_destroy(&attr);
	return share;
}

/* NULL if there is no memory */
static struct db_share *share_of(struct db_shares *s, uint64_t user)
{
	struct db_share *share = s->active;

	while (share != NULL && share->user != user)
		share = share->next;
	if (share != NULL)
		return share;
	share = s->spare;
	if (share != NULL)
		s->spare = share->next;
	else
		share = new_share();
	if (share == NULL)
		return NULL;
	share->user = user;
	share->next = s->active;
	s->active = share;
	return share;
}

/* If the share is unused, keep it for another user */
static void retire(struct db_shares *s, struct db_share *share)
{
	struct db_share **at = &s->active;

	if (share->held > 0 || share->waiting > 0)
		return;
	while (*at != share)
		at = &(*at)->next;
	*at = share->next;
	share->next = s->spare;
	s->spare = share;
}

bool db_share_is_used_up(const struct db_shares *s, uint64_t user)
{
	const struct db_share *share = s->active;

	while (share != NULL && share->user != user)
		share = share->next;
	return share != NULL && share->held >= s->max;
}

enum err db_share_take(struct db_shares *s, uint64_t user,
		       pthread_mutex_t *lock, const struct timespec *until,
		       struct db_share **out, struct errmsg *why)
{
	struct db_share *share = share_of(s, user);
	int waited = 0;

	if (share == NULL)
		return err_set(why, ERR_MEMORY, "out of memory");
	share->waiting++;
	while (share->held >= s->max && waited == 0)
		waited = pthread_cond_timedwait(&share->given, lock, until);
	share->waiting--;
	if (share->held >= s->max) {
		retire(s, share);
		return err_set(why, ERR_OVERLOADED,
			       "user %llu held %zu database connections, "
			       "half of all, until the timeout (DB_POOL, "
			       "DB_TIMEOUT)",
			       (unsigned long long)user, s->max);
	}
	share->held++;
	*out = share;
	return ERR_OK;
}

void db_share_give(struct db_shares *s, struct db_share *share)
{
	share->held--;
	if (share->waiting > 0)
		(void)pthread_cond_signal(&share->given);
	retire(s, share);
}
