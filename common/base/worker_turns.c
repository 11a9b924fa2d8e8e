#include "common/base/worker_turns.h"

#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

/* On the stack of its thread */
struct worker_waiter {
	struct worker_waiter *next;
	pthread_cond_t given;
	bool admitted;
};

void worker_turns_init(struct worker_turns *t, size_t slots)
{
	*t = (struct worker_turns) {
		.free = (long)slots,
		.share = slots > WORKER_SHARE ? slots / WORKER_SHARE : 1,
	};
}

static void free_list(struct worker_user *u)
{
	while (u != NULL) {
		struct worker_user *next = u->next;

		free(u);
		u = next;
	}
}

void worker_turns_release(struct worker_turns *t)
{
	for (size_t i = 0; i < WORKER_BUCKETS; i++)
		free_list(t->buckets[i]);
	free_list(t->spare);
}

static struct worker_user **bucket_of(struct worker_turns *t, uint64_t id)
{
	return &t->buckets[id % WORKER_BUCKETS];
}

struct worker_user *worker_turns_join(struct worker_turns *t, uint64_t id)
{
	struct worker_user **bucket = bucket_of(t, id), *u = *bucket;

	if (id == 0)
		return &t->nobody;
	while (u != NULL && u->id != id)
		u = u->next;
	if (u == NULL) {
		u = t->spare;
		if (u != NULL)
			t->spare = u->next;
		else
			u = calloc(1, sizeof(*u));
		if (u == NULL)
			return &t->nobody;
		u->id = id;
		u->next = *bucket;
		*bucket = u;
	}
	u->requests++;
	return u;
}

void worker_turns_part(struct worker_turns *t, struct worker_user *u)
{
	struct worker_user **at = bucket_of(t, u->id);

	if (u->id == 0 || --u->requests > 0)
		return;
	while (*at != u)
		at = &(*at)->next;
	*at = u->next;
	u->next = t->spare;
	t->spare = u;
}

static bool class_has_room(const struct worker_turns *t, enum worker_class c)
{
	return c == WORKER_READS || t->held[c] < t->share;
}

static bool user_has_room(const struct worker_turns *t,
			  const struct worker_user *u)
{
	return u->id == 0 || u->held < t->share;
}

/* --- the queues -------------------------------------------------------- */

static void enqueue(struct worker_turns *t, struct worker_user *u,
		    enum worker_class c, struct worker_waiter *w)
{
	struct worker_queue *q = &u->queues[c];
	struct worker_user *last = t->rings[c];

	w->next = NULL;
	t->waiting++;
	if (q->first != NULL) {
		q->last->next = w;
		q->last = w;
		return;
	}
	q->first = q->last = w;
	q->next = last != NULL ? last->queues[c].next : u;
	if (last != NULL)
		last->queues[c].next = u;
	t->rings[c] = u;
}

/* The user `before` stands before `u` in the ring */
static void leave_ring(struct worker_turns *t, enum worker_class c,
		       struct worker_user *before, struct worker_user *u)
{
	if (before == u) {
		t->rings[c] = NULL;
		return;
	}
	before->queues[c].next = u->queues[c].next;
	if (t->rings[c] == u)
		t->rings[c] = before;
}

static void dequeue(struct worker_turns *t, struct worker_user *u,
		    enum worker_class c, struct worker_waiter *w)
{
	struct worker_queue *q = &u->queues[c];
	struct worker_waiter *before = NULL;
	struct worker_user *other = u;

	for (struct worker_waiter *i = q->first; i != w; i = i->next)
		before = i;
	if (before != NULL)
		before->next = w->next;
	else
		q->first = w->next;
	if (q->last == w)
		q->last = before;
	t->waiting--;
	if (q->first != NULL)
		return;
	while (other->queues[c].next != u)
		other = other->queues[c].next;
	leave_ring(t, c, other, u);
}

/* Give a slot to the first thread of the next user of the class whose share
 * allows it. No more than WORKER_SHARE users can have all of theirs. */
static bool admit_one(struct worker_turns *t, enum worker_class c)
{
	struct worker_user *last = t->rings[c], *before = last, *u;
	struct worker_waiter *w;

	if (last == NULL || !class_has_room(t, c))
		return false;
	u = last->queues[c].next;
	while (!user_has_room(t, u) && u != last) {
		before = u;
		u = u->queues[c].next;
	}
	if (!user_has_room(t, u))
		return false;
	w = u->queues[c].first;
	u->queues[c].first = w->next;
	if (w->next == NULL)
		leave_ring(t, c, before, u);
	else
		t->rings[c] = u; /* the next turn is another user's */
	t->waiting--;
	t->free--;
	t->held[c]++;
	u->held++;
	w->admitted = true;
	(void)pthread_cond_signal(&w->given);
	return true;
}

static void hand_out(struct worker_turns *t)
{
	bool given = true;

	while (t->free > 0 && t->waiting > 0 && given) {
		given = false;
		for (unsigned i = 0; i < WORKER_CLASSES && !given; i++) {
			enum worker_class c = (t->turn + i) % WORKER_CLASSES;

			given = admit_one(t, c);
			if (given)
				t->turn = (c + 1) % WORKER_CLASSES;
		}
	}
}

static struct timespec end_of_patience(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += WORKER_PATIENCE;
	return t;
}

static void wait_in_queue(struct worker_turns *t, struct worker_user *u,
			  enum worker_class c, pthread_mutex_t *lock)
{
	struct timespec until = end_of_patience();
	struct worker_waiter w = { .admitted = false };
	pthread_condattr_t attr;
	int failed = 0;

	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&w.given, &attr);
	(void)pthread_condattr_destroy(&attr);
	enqueue(t, u, c, &w);
	while (!w.admitted && failed == 0)
		failed = pthread_cond_timedwait(&w.given, lock, &until);
	if (!w.admitted) {
		dequeue(t, u, c, &w);
		t->free--;
		t->held[c]++;
		u->held++;
	}
	(void)pthread_cond_destroy(&w.given);
}

/* While a slot is free, every thread that waits belongs to a user or a class that
 * has its share: hand_out() is called after each change */
void worker_turns_take(struct worker_turns *t, struct worker_user *u,
		       enum worker_class c, pthread_mutex_t *lock)
{
	if (t->free <= 0 || !class_has_room(t, c) || !user_has_room(t, u)) {
		wait_in_queue(t, u, c, lock);
		return;
	}
	t->free--;
	t->held[c]++;
	u->held++;
}

void worker_turns_give(struct worker_turns *t, struct worker_user *u,
		       enum worker_class c)
{
	t->free++;
	t->held[c]--;
	u->held--;
	hand_out(t);
}

void worker_turns_move(struct worker_turns *t, struct worker_user *from,
		       struct worker_user *to, enum worker_class c,
		       pthread_mutex_t *lock)
{
	if (!user_has_room(t, to)) {
		worker_turns_give(t, from, c);
		wait_in_queue(t, to, c, lock);
		return;
	}
	from->held--;
	to->held++;
	hand_out(t); /* another thread of `from` may have a free slot now */
}
