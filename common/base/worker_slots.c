#include "common/base/worker_slots.h"

#include "common/base/clock.h"
#include "common/base/worker_turns.h"
#include "common/base/worker_wait.h"

#include <stdlib.h>

struct worker_slots {
	pthread_mutex_t lock;
	struct worker_turns turns;
	size_t places, places_max, places_share;
};

/* The request of this thread */
static _Thread_local struct {
	struct worker_slots *slots; /* NULL: none */
	struct worker_user *user;
	enum worker_class class;
	unsigned waits; /* depth of worker_wait_begin() */
	bool has_place;
	bool lent_place; /* for a wait, which may be short */
	int64_t wait_began_ms;
} self;

enum err worker_slots_new(size_t slots, size_t places,
			  struct worker_slots **out)
{
	struct worker_slots *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return ERR_MEMORY;
	(void)pthread_mutex_init(&s->lock, NULL);
	worker_turns_init(&s->turns, slots);
	s->places_max = places;
	s->places_share = places > WORKER_SHARE ? places / WORKER_SHARE : 1;
	*out = s;
	return ERR_OK;
}

void worker_slots_free(struct worker_slots *s)
{
	if (s == NULL)
		return;
	worker_turns_release(&s->turns);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}

static void take_slot(struct worker_slots *s)
{
	worker_turns_take(&s->turns, self.user, self.class, &s->lock);
}

static enum err take_place(struct worker_slots *s)
{
	struct worker_user *u = self.user;

	if (s->places >= s->places_max)
		return ERR_OVERLOADED;
	if (u->places >= s->places_share)
		return ERR_TOO_MANY_UPLOADS;
	s->places++;
	u->places++;
	self.has_place = true;
	return ERR_OK;
}

static void give_place(struct worker_slots *s)
{
	s->places--;
	self.user->places--;
	self.has_place = false;
}

/* --- the request of this thread -------------------------------------------- */

void worker_enter(struct worker_slots *s, enum worker_class c)
{
	self.slots = s;
	self.user = &s->turns.nobody;
	self.class = c;
	(void)pthread_mutex_lock(&s->lock);
	take_slot(s);
	(void)pthread_mutex_unlock(&s->lock);
}

void worker_leave(void)
{
	struct worker_slots *s = self.slots;

	(void)pthread_mutex_lock(&s->lock);
	if (self.has_place)
		give_place(s);
	worker_turns_give(&s->turns, self.user, self.class);
	worker_turns_part(&s->turns, self.user);
	(void)pthread_mutex_unlock(&s->lock);
	self.slots = NULL;
	self.user = NULL;
}

void worker_act_for(uint64_t user)
{
	struct worker_slots *s = self.slots;
	struct worker_user *before = self.user;

	if (s == NULL || before->id == user || self.waits > 0)
		return;
	(void)pthread_mutex_lock(&s->lock);
	self.user = worker_turns_join(&s->turns, user);
	if (self.has_place) {
		before->places--;
		self.user->places++;
	}
	worker_turns_move(&s->turns, before, self.user, self.class, &s->lock);
	worker_turns_part(&s->turns, before);
	(void)pthread_mutex_unlock(&s->lock);
}

/* --- waits ----------------------------------------------------------------- */

void worker_wait_begin(void)
{
	struct worker_slots *s = self.slots;

	if (s == NULL || self.waits++ > 0)
		return;
	(void)pthread_mutex_lock(&s->lock);
	worker_turns_give(&s->turns, self.user, self.class);
	(void)pthread_mutex_unlock(&s->lock);
}

void worker_wait_end(void)
{
	struct worker_slots *s = self.slots;

	if (s == NULL || --self.waits > 0)
		return;
	(void)pthread_mutex_lock(&s->lock);
	take_slot(s);
	(void)pthread_mutex_unlock(&s->lock);
}

bool worker_is_awaited(void)
{
	struct worker_slots *s = self.slots;
	bool awaited;

	if (s == NULL || self.waits > 0)
		return false;
	(void)pthread_mutex_lock(&s->lock);
	awaited = s->turns.waiting > 0;
	(void)pthread_mutex_unlock(&s->lock);
	return awaited;
}

enum err worker_pace(void)
{
	struct worker_slots *s = self.slots;
	enum err e;

	if (s == NULL || (self.has_place && !self.lent_place))
		return ERR_OK;
	(void)pthread_mutex_lock(&s->lock);
	e = self.has_place ? ERR_OK : take_place(s);
	(void)pthread_mutex_unlock(&s->lock);
	self.lent_place = false;
	return e;
}

enum err worker_client_wait_begin(void)
{
	struct worker_slots *s = self.slots;
	enum err e = ERR_OK;

	if (s == NULL || self.waits > 0) {
		self.waits += s != NULL;
		return ERR_OK;
	}
	(void)pthread_mutex_lock(&s->lock);
	if (!self.has_place) {
		e = take_place(s);
		self.lent_place = e == ERR_OK;
	}
	if (e == ERR_OK) {
		worker_turns_give(&s->turns, self.user, self.class);
		self.waits = 1;
	}
	(void)pthread_mutex_unlock(&s->lock);
	if (self.lent_place)
		self.wait_began_ms = clock_monotonic_ms();
	return e;
}

void worker_client_wait_end(void)
{
	struct worker_slots *s = self.slots;
	bool was_short;

	if (s == NULL || --self.waits > 0)
		return;
	was_short = self.lent_place &&
		    clock_monotonic_ms() - self.wait_began_ms < WORKER_PACE_MS;
	self.lent_place = false;
	(void)pthread_mutex_lock(&s->lock);
	if (was_short)
		give_place(s);
	take_slot(s);
	(void)pthread_mutex_unlock(&s->lock);
}
