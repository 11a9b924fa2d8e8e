#include "common/server/worker_threads.h"

#include "common/base/worker_stack.h"
#include "common/http/transport_fcgi.h"
#include "common/server/dispatch.h"
#include "common/server/worker_limits.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

enum {
	/* Bytes of address space that stay free for the requests of a thread,
	 * and for what all threads share: libmagic, database connections */
	WORKER_SPARE = 128 * 1024,
	PROCESS_SPARE = 32 * 1024 * 1024,
	WAKE_MS = 10,  /* between two signals that end a thread's wait */
	RETRY_MS = 50, /* after an accept that failed in this process */
	/* While many requests arrive, so many threads to one wait for them */
	START_PART = 16,
};

struct worker {
	struct worker_threads *shared;
	struct worker *next, **link; /* in the list of threads */
	struct transport *transport; /* owned */
	void *stack;		     /* owned */
	pthread_t thread;
	bool started, waits; /* for a connection */
};

struct worker_threads {
	const struct program *program;
	const struct service *service;
	void (*closed)(void);
	size_t max, usual;
	bool limited;	      /* in its address space */
	atomic_bool stopping; /* end as soon as no request waits */
	atomic_bool leaving;  /* end even if requests wait */
	atomic_bool used;

	pthread_mutex_t lock; /* of the rest */
	struct worker *list;
	size_t count, starting, waiting;
	struct worker *ended; /* the next to end joins it; or NULL */
};

static void pause_ms(int64_t ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	(void)nanosleep(&t, NULL);
}

/* --- starting ------------------------------------------------------------- */

static void list_add(struct worker_threads *t, struct worker *w)
{
	w->next = t->list;
	w->link = &t->list;
	if (w->next != NULL)
		w->next->link = &w->next;
	t->list = w;
}

static void list_remove(struct worker *w)
{
	*w->link = w->next;
	if (w->next != NULL)
		w->next->link = w->link;
}

static void free_worker(struct worker *w)
{
	if (w == NULL)
		return;
	if (w->transport != NULL)
		w->transport->ops->free(w->transport);
	worker_stack_free(w->stack);
	free(w);
}

static void join(struct worker *w)
{
	if (w != NULL)
		(void)pthread_join(w->thread, NULL);
	free_worker(w);
}

static void *run_worker(void *arg);

static int create_thread(struct worker *w)
{
	pthread_attr_t attr;
	int failed = pthread_attr_init(&attr);

	if (failed != 0)
		return failed;
	failed = pthread_attr_setstack(&attr, w->stack, WORKER_STACK_SIZE);
	if (failed == 0)
		failed = pthread_create(&w->thread, &attr, run_worker, w);
	(void)pthread_attr_destroy(&attr);
	return failed;
}

/* Start a thread and count it; 0, or an errno. The caller has the lock. */
static int start_thread(struct worker_threads *t)
{
	size_t spare = (t->count + 1) * WORKER_SPARE + PROCESS_SPARE;
	void *reserved = t->limited ? worker_limits_reserve(spare) : NULL;
	struct worker *w = calloc(1, sizeof(*w));
	int failed = ENOMEM;

	if (w != NULL && (!t->limited || reserved != NULL)) {
		w->shared = t;
		w->transport = transport_fcgi_new();
		w->stack = worker_stack_new();
	}
	if (w != NULL && w->transport != NULL && w->stack != NULL) {
		list_add(t, w);
		failed = create_thread(w);
		if (failed != 0)
			list_remove(w);
	}
	if (failed == 0) {
		t->count++;
		t->starting++;
	} else {
		free_worker(w);
	}
	worker_limits_release(reserved, spare);
	return failed;
}

/* The last thread that waited has a request: start another; and, while many
 * arrive, some more, or each would wait until the thread before is scheduled */
static void start_more(struct worker_threads *t)
{
	size_t wanted = 1 + t->count / START_PART;
	int failed = 0;

	while (t->waiting < wanted && t->starting < wanted &&
	       t->count < t->max && failed == 0 && !atomic_load(&t->stopping)) {
		failed = start_thread(t);
		if (failed != 0)
			worker_limits_report_start(t->count, failed);
	}
}

/* --- one thread ----------------------------------------------------------- */

static enum err wait_for_connection(struct worker *w)
{
	struct worker_threads *t = w->shared;
	enum err e;

	(void)pthread_mutex_lock(&t->lock);
	w->waits = true;
	t->waiting++;
	if (!w->started) {
		w->started = true;
		t->starting--;
	}
	(void)pthread_mutex_unlock(&t->lock);
	e = transport_fcgi_wait(w->transport);
	(void)pthread_mutex_lock(&t->lock);
	w->waits = false;
	t->waiting--;
	if (e == ERR_OK && t->waiting + t->starting == 0)
		start_more(t);
	(void)pthread_mutex_unlock(&t->lock);
	return e;
}

static void serve(struct worker *w, struct arena *arena)
{
	struct worker_threads *t = w->shared;

	if (w->transport->ops->accept(w->transport) != ERR_OK)
		return;
	atomic_store_explicit(&t->used, true, memory_order_relaxed);
	dispatch_run(t->program, t->service, w->transport, arena);
}

static bool stays(struct worker_threads *t, enum err e)
{
	if (e == ERR_IO || e == ERR_OVERLOADED) {
		worker_limits_report_accept(e);
		pause_ms(RETRY_MS);
		return true;
	}
	if (atomic_load(&t->stopping))
		return e == ERR_OK;
	/* Another process that shares the socket has shut it down */
	if (e == ERR_GONE && !atomic_exchange(&t->stopping, true))
		t->closed();
	return e != ERR_GONE;
}

static bool is_surplus(struct worker_threads *t)
{
	bool surplus;

	(void)pthread_mutex_lock(&t->lock);
	surplus = t->waiting >= t->usual;
	(void)pthread_mutex_unlock(&t->lock);
	return surplus;
}

static void end_thread(struct worker *w)
{
	struct worker_threads *t = w->shared;
	struct worker *before;

	(void)pthread_mutex_lock(&t->lock);
	list_remove(w);
	before = t->ended;
	t->ended = w;
	(void)pthread_mutex_unlock(&t->lock);
	join(before);
	(void)pthread_mutex_lock(&t->lock);
	t->count--;
	(void)pthread_mutex_unlock(&t->lock);
}

static void *run_worker(void *arg)
{
	struct worker *w = arg;
	struct worker_threads *t = w->shared;
	struct arena arena;
	bool goes_on = true;

	/* Until pthread_create() has filled w->thread */
	(void)pthread_mutex_lock(&t->lock);
	(void)pthread_mutex_unlock(&t->lock);
	arena_init(&arena);
	while (goes_on && !atomic_load(&t->leaving)) {
		enum err e = wait_for_connection(w);

		if (e == ERR_OK)
			serve(w, &arena);
		goes_on = stays(t, e) && !is_surplus(t);
	}
	arena_release(&arena);
	db_thread_end();
	end_thread(w);
	return NULL;
}

/* --- the process ---------------------------------------------------------- */

static bool start_usual(struct worker_threads *t)
{
	int failed = 0;
	size_t started;

	(void)pthread_mutex_lock(&t->lock);
	while (t->count < t->usual && failed == 0)
		failed = start_thread(t);
	started = t->count;
	if (started > 0 && started < t->usual)
		worker_limits_report_fewer(started, t->usual, failed);
	(void)pthread_mutex_unlock(&t->lock);
	return started > 0;
}

struct worker_threads *worker_threads_start(const struct program *p,
					    const struct service *s,
					    void (*closed)(void))
{
	struct worker_threads *t = calloc(1, sizeof(*t));
	struct rlimit space = { RLIM_INFINITY, RLIM_INFINITY };

	if (t == NULL)
		return NULL;
	t->program = p;
	t->service = s;
	t->closed = closed;
	t->usual = (size_t)s->settings.threads;
	t->max = (size_t)s->settings.connections;
	if (t->max < t->usual)
		t->max = t->usual;
	(void)getrlimit(RLIMIT_AS, &space);
	t->limited = space.rlim_cur != RLIM_INFINITY;
	(void)pthread_mutex_init(&t->lock, NULL);
	if (start_usual(t))
		return t;
	(void)pthread_mutex_destroy(&t->lock);
	free(t);
	return NULL;
}

/* Interrupt threads that wait for a connection, all but `but`; and no other,
 * because the signal interrupts the calls of a request too. One that is just
 * about to wait misses it. Returns the number of all threads. */
static size_t wake(struct worker_threads *t, size_t but)
{
	size_t count, left;

	(void)pthread_mutex_lock(&t->lock);
	left = t->waiting > but ? t->waiting - but : 0;
	for (struct worker *w = t->list; w != NULL && left > 0; w = w->next) {
		left -= w->waits;
		if (w->waits)
			(void)pthread_kill(w->thread, TRANSPORT_FCGI_WAKE);
	}
	count = t->count;
	(void)pthread_mutex_unlock(&t->lock);
	return count;
}

bool worker_threads_drain(struct worker_threads *t)
{
	int64_t left = t->service->settings.drain_seconds * 1000;
	size_t running;

	atomic_store(&t->stopping, true);
	if (!transport_fcgi_refuse())
		atomic_store(&t->leaving, true);
	while ((running = wake(t, 0)) > 0 && left >= 0) {
		pause_ms(WAKE_MS);
		left -= WAKE_MS;
	}
	if (running > 0)
		return false;
	join(t->ended);
	(void)pthread_mutex_destroy(&t->lock);
	free(t);
	return true;
}

bool worker_threads_rest(struct worker_threads *t)
{
	if (!atomic_exchange(&t->used, false))
		return false;
	/* They find out that they are surplus */
	(void)wake(t, t->usual);
	return true;
}
