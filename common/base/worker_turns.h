/* worker_turns.h - inside worker_slots: whose turn it is to have a slot.
 *
 * The caller has locked the mutex of the slots for each call.
 */
#ifndef WORKER_TURNS_H
#define WORKER_TURNS_H

#include "common/base/worker_slots.h"

#include <pthread.h>

enum {
	WORKER_BUCKETS = 256, /* of users */
};

struct worker_waiter; /* a thread that waits for a slot */

/* A user with a request; id 0 is nobody, who has no share */
struct worker_user {
	struct worker_user *next; /* in the bucket, or spare */
	uint64_t id;
	size_t requests, held, places;
	struct worker_queue {
		struct worker_waiter *first, *last;
		struct worker_user *next; /* in the ring of the class */
	} queues[WORKER_CLASSES];
};

struct worker_turns {
	long free;	/* below 0: threads work without a slot */
	size_t waiting; /* threads */
	size_t share;	/* slots of a user, and of WORKER_STORES */
	size_t held[WORKER_CLASSES];
	unsigned turn; /* class of the next slot */
	/* The users with threads that wait; each the last one, or NULL */
	struct worker_user *rings[WORKER_CLASSES];
	struct worker_user *buckets[WORKER_BUCKETS], *spare;
	struct worker_user nobody;
};

void worker_turns_init(struct worker_turns *t, size_t slots);
void worker_turns_release(struct worker_turns *t);

/* A request of the user begins, and ends. Without memory for one more user it
 * is one of nobody. */
struct worker_user *worker_turns_join(struct worker_turns *t, uint64_t id);
void worker_turns_part(struct worker_turns *t, struct worker_user *u);

/* Take a slot for the user; wait for it, with `lock`, for WORKER_PATIENCE. */
void worker_turns_take(struct worker_turns *t, struct worker_user *u,
		       enum worker_class c, pthread_mutex_t *lock);
/* Make a slot of `from` one of `to`; wait if that is more than the share. */
void worker_turns_move(struct worker_turns *t, struct worker_user *from,
		       struct worker_user *to, enum worker_class c,
		       pthread_mutex_t *lock);
void worker_turns_give(struct worker_turns *t, struct worker_user *u,
		       enum worker_class c);

#endif
