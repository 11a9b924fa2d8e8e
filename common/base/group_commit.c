#include "common/base/group_commit.h"

#include "common/base/worker_wait.h"

#include <time.h>

void group_commit_init(struct group_commit *g, group_commit_fn *run, void *arg)
{
	*g = (struct group_commit) { .run = run, .arg = arg };
	(void)pthread_mutex_init(&g->lock, NULL);
}

void group_commit_release(struct group_commit *g)
{
	(void)pthread_mutex_destroy(&g->lock);
}

static void member_init(struct group_member *m)
{
	pthread_condattr_t attr;

	*m = (struct group_member) { .next = NULL };
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&m->turn, &attr);
	(void)pthread_condattr_destroy(&attr);
}

/* The caller of the next four has locked `g` */
static void enqueue(struct group_commit *g, struct group_member *m)
{
	if (g->first == NULL)
		g->first = m;
	else
		g->last->next = m;
	g->last = m;
}

static void dequeue(struct group_commit *g, const struct group_member *m)
{
	struct group_member *before = NULL, *at = g->first;

	while (at != m) {
		before = at;
		at = at->next;
	}
	if (before == NULL)
		g->first = m->next;
	else
		before->next = m->next;
	if (g->last == m)
		g->last = before;
}

static struct timespec patience(void)
{
	struct timespec t = { 0, 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += GROUP_COMMIT_WAIT_MS * 1000000L;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

static void wait_locked(struct group_commit *g, struct group_member *m)
{
	const struct timespec until = patience();
	int waited = 0;

	while (!m->leads && !m->taken && waited == 0)
		waited = pthread_cond_timedwait(&m->turn, &g->lock, &until);
	while (m->taken && !m->done)
		(void)pthread_cond_wait(&m->turn, &g->lock);
	if (m->leads || m->done)
		return;
	g->stuck = true;
	dequeue(g, m);
}

/* Wait until this member leads, or another has done its work, or neither */
static void wait_for_turn(struct group_commit *g, struct group_member *m)
{
	/* Not with the lock, because the end may wait for a slot */
	worker_wait_begin();
	(void)pthread_mutex_lock(&g->lock);
	wait_locked(g, m);
	(void)pthread_mutex_unlock(&g->lock);
	worker_wait_end();
}

static size_t take_members(struct group_commit *g, struct group_member **out)
{
	size_t n = 0;

	(void)pthread_mutex_lock(&g->lock);
	for (; n < GROUP_COMMIT_MAX && g->first != NULL; n++) {
		out[n] = g->first;
		out[n]->taken = true;
		g->first = g->first->next;
	}
	(void)pthread_mutex_unlock(&g->lock);
	return n;
}

/* Do the work of this member and of those behind it, and choose who is next */
static void lead(struct group_commit *g)
{
	struct group_member *members[GROUP_COMMIT_MAX];
	size_t n = take_members(g, members);

	g->run(g->arg, members, n);
	(void)pthread_mutex_lock(&g->lock);
	for (size_t i = 1; i < n; i++) {
		members[i]->done = true;
		(void)pthread_cond_signal(&members[i]->turn);
	}
	g->stuck = false;
	g->busy = g->first != NULL;
	if (g->busy) {
		g->first->leads = true;
		(void)pthread_cond_signal(&g->first->turn);
	}
	(void)pthread_mutex_unlock(&g->lock);
}

bool group_commit_join(struct group_commit *g, struct group_member *m)
{
	bool leads, stuck;

	member_init(m);
	(void)pthread_mutex_lock(&g->lock);
	leads = !g->busy;
	stuck = g->busy && g->stuck;
	if (!stuck)
		enqueue(g, m);
	g->busy = true;
	(void)pthread_mutex_unlock(&g->lock);
	if (!leads && !stuck)
		wait_for_turn(g, m);
	/* Nobody else changes it now */
	if (leads || m->leads) {
		lead(g);
		m->done = true;
	}
	(void)pthread_cond_destroy(&m->turn);
	return m->done;
}
