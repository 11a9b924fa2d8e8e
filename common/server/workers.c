#include "common/server/workers.h"

#include "common/http/transport_fcgi.h"
#include "common/log/log.h"
#include "common/server/dispatch.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define SOCKET_CLOSED SIGUSR2

enum {
	WORKER_STACK = 256 * 1024, /* bytes; libmagic uses 40 KiB of it */
	/* Bytes of address space that stay free for the requests of a thread,
	 * and for what all threads share: libmagic, database connections */
	WORKER_SPARE = 128 * 1024,
	PROCESS_SPARE = 32 * 1024 * 1024,
	WAKE_MS = 10,	   /* between two signals that end a thread's accept */
	RETRY_MS = 50,	   /* after an accept that failed in this process */
	REPORT_MS = 60000, /* between two log lines about that */
	SIGNAL_MS = 1000,  /* until all that share a socket have the signal */
};

struct worker {
	struct workers *shared;
	struct transport *transport; /* owned */
	void *spare;		     /* reserved while threads are started */
	pthread_t thread;
};

/* Shared by the worker threads of one process */
struct workers {
	const struct program *program;
	const struct service *service;
	struct worker *list;	    /* owned */
	size_t count;		    /* threads that were started */
	pthread_mutex_t start_lock; /* locked until `count` is known */
	atomic_bool stopping;	    /* end as soon as no request waits */
	atomic_bool leaving;	    /* end even if requests wait */
	atomic_size_t running;
	atomic_llong reported_ms; /* when a failed accept was logged last */
};

static void pause_ms(int64_t ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	(void)nanosleep(&t, NULL);
}

/* Another process that shares the socket has shut it down, so no request can
 * arrive any more: wake the main thread, which ends the process */
static void report_closed(struct workers *workers)
{
	if (!atomic_exchange(&workers->stopping, true))
		(void)kill(getpid(), SOCKET_CLOSED);
}

/* A connection waits in the queue of the socket until accept succeeds. Several
 * threads fail at the same time; one line is enough. */
static void report_accept(struct workers *workers, enum err e)
{
	struct timespec t = { 0, 0 };
	long long now, last = atomic_load(&workers->reported_ms);

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	now = (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
	if ((last != 0 && now - last < REPORT_MS) ||
	    !atomic_compare_exchange_strong(&workers->reported_ms, &last, now))
		return;
	log_event(LOG_ERROR, "accept",
		  e == ERR_OVERLOADED
			  ? "no descriptor or memory is left for a connection, "
			    "so requests wait; raise the process's limit of "
			    "open files (ulimit -n, LimitNOFILE=), or lower "
			    "THREADS and DB_POOL"
			  : "a connection of the web server could not be "
			    "accepted");
}

static void *run_worker(void *arg)
{
	struct worker *self = arg;
	struct workers *workers = self->shared;
	struct transport *t = self->transport;
	struct arena arena;

	(void)pthread_mutex_lock(&workers->start_lock);
	(void)pthread_mutex_unlock(&workers->start_lock);
	arena_init(&arena);
	while (!atomic_load(&workers->leaving)) {
		enum err e = t->ops->accept(t);

		if (e == ERR_OK)
			dispatch_run(workers->program, workers->service, t,
				     &arena);
		else if (e == ERR_IO || e == ERR_OVERLOADED) {
			report_accept(workers, e);
			pause_ms(RETRY_MS);
		} else if (atomic_load(&workers->stopping))
			break;
		else if (e == ERR_GONE)
			report_closed(workers);
	}
	t->ops->free(t);
	arena_release(&arena);
	db_thread_end();
	atomic_fetch_sub(&workers->running, 1);
	return NULL;
}

/* Block SIGTERM, SIGINT and SOCKET_CLOSED: only the main thread waits for them
 */
static void set_signals(sigset_t *ends)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	(void)sigemptyset(ends);
	(void)sigaddset(ends, SIGTERM);
	(void)sigaddset(ends, SIGINT);
	(void)sigaddset(ends, SOCKET_CLOSED);
	(void)pthread_sigmask(SIG_BLOCK, ends, NULL);
	(void)sigaction(SIGPIPE, &ignore, NULL);
}

/* The system refused more threads, with the errno `failed`: log that, and
 * adjust what was sized by THREADS, or uploads could occupy every thread. */
static void log_fewer(const struct workers *workers, size_t wanted, int failed)
{
	const struct program *p = workers->program;
	char text[200], reason[64];

	if (strerror_r(failed, reason, sizeof(reason)) != 0)
		(void)snprintf(reason, sizeof(reason), "error %d", failed);
	(void)snprintf(
		text, sizeof(text),
		"only %zu of %zu threads (THREADS) could be started: %s; lower "
		"THREADS, or raise the process's limits of memory and tasks",
		workers->count, wanted, reason);
	log_event(LOG_ERROR, "start", text);
	if (p->fewer_threads != NULL)
		p->fewer_threads(p->app, workers->count);
}

/* Reserve address space without using memory; NULL if there is none. Where the
 * system limits it, the stacks of threads must not take all of it, or the first
 * request would end the process. */
static void *reserve(size_t size)
{
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	void *at;

	if (zero < 0)
		return NULL;
	at = mmap(NULL, size, PROT_NONE, MAP_PRIVATE, zero, 0);
	(void)close(zero);
	if (at == MAP_FAILED)
		return NULL;
	return at;
}

static void unreserve(void *at, size_t size)
{
	if (at != NULL)
		(void)munmap(at, size);
}

/* 0, or an errno; the transport is made here, where its failure is seen */
static int start_thread(struct workers *workers, struct worker *w,
			const pthread_attr_t *attr)
{
	int failed;

	w->shared = workers;
	w->spare = reserve(WORKER_SPARE);
	w->transport = w->spare != NULL ? transport_fcgi_new() : NULL;
	if (w->transport == NULL)
		return ENOMEM;
	atomic_fetch_add(&workers->running, 1);
	failed = pthread_create(&w->thread, attr, run_worker, w);
	if (failed != 0) {
		atomic_fetch_sub(&workers->running, 1);
		w->transport->ops->free(w->transport);
	}
	return failed;
}

/* Start as many threads of `wanted` as the system allows; errno of the first
 * that it refused, or 0 */
static int start_threads(struct workers *workers, size_t wanted)
{
	void *spare = reserve(PROCESS_SPARE);
	pthread_attr_t attr;
	int failed = pthread_attr_init(&attr);

	if (failed != 0) {
		unreserve(spare, PROCESS_SPARE);
		return failed;
	}
	(void)pthread_attr_setstacksize(&attr, WORKER_STACK);
	if (spare == NULL)
		failed = ENOMEM;
	while (workers->count < wanted && failed == 0) {
		failed = start_thread(workers, &workers->list[workers->count],
				      &attr);
		if (failed == 0)
			workers->count++;
	}
	for (size_t i = 0; i < wanted; i++)
		unreserve(workers->list[i].spare, WORKER_SPARE);
	unreserve(spare, PROCESS_SPARE);
	(void)pthread_attr_destroy(&attr);
	return failed;
}

static bool start_workers(struct workers *workers)
{
	size_t wanted = (size_t)workers->service->settings.threads;
	int failed;

	workers->list = calloc(wanted, sizeof(*workers->list));
	if (workers->list == NULL)
		return false;
	(void)pthread_mutex_init(&workers->start_lock, NULL);
	(void)pthread_mutex_lock(&workers->start_lock);
	failed = start_threads(workers, wanted);
	if (workers->count > 0 && workers->count < wanted)
		log_fewer(workers, wanted, failed);
	(void)pthread_mutex_unlock(&workers->start_lock);
	return workers->count > 0;
}

/* Refuse new connections, serve those in the queue, and wait for requests in
 * progress. A wake-up just before a thread enters accept is lost, so it is
 * repeated. */
static bool drain(struct workers *workers)
{
	int64_t left = workers->service->settings.drain_seconds * 1000;

	atomic_store(&workers->stopping, true);
	if (!transport_fcgi_refuse())
		atomic_store(&workers->leaving, true);
	while (atomic_load(&workers->running) > 0 && left >= 0) {
		for (size_t i = 0; i < workers->count; i++)
			(void)pthread_kill(workers->list[i].thread,
					   TRANSPORT_FCGI_WAKE);
		pause_ms(WAKE_MS);
		left -= WAKE_MS;
	}
	if (atomic_load(&workers->running) > 0)
		return false;
	for (size_t i = 0; i < workers->count; i++)
		(void)pthread_join(workers->list[i].thread, NULL);
	return true;
}

/* Wait for a signal to stop. Returns 0; or EX_OSERR if another process shut
 * down our socket and no signal follows, as one does if all that share it are
 * stopped one after another */
static int wait_for_end(sigset_t *ends)
{
	const struct timespec limit = { SIGNAL_MS / 1000,
					SIGNAL_MS % 1000 * 1000000 };
	int sig = 0;

	(void)sigwait(ends, &sig);
	if (sig != SOCKET_CLOSED || sigtimedwait(ends, NULL, &limit) > 0)
		return 0;
	log_event(LOG_ERROR, "stop",
		  "another process has shut down the listening "
		  "socket; start this one again");
	return EX_OSERR;
}

int workers_serve(const struct program *p, const struct service *s)
{
	struct workers workers = { .program = p, .service = s };
	sigset_t ends;
	int status;

	set_signals(&ends);
	if (!start_workers(&workers)) {
		log_event(LOG_ERROR, "start",
			  "no thread could be started; raise the process's "
			  "limits of memory and tasks");
		exit(EX_OSERR);
	}
	log_event(LOG_INFO, "start", "ready");
	status = wait_for_end(&ends);
	log_event(LOG_INFO, "stop", "draining");
	if (!drain(&workers)) {
		/* Threads still use the memory: exit without freeing it */
		log_event(LOG_WARN, "stop",
			  "DRAIN_SECONDS passed; requests still in progress "
			  "were cut off");
		_Exit(status);
	}
	(void)pthread_mutex_destroy(&workers.start_lock);
	free(workers.list);
	log_event(LOG_INFO, "stop", "done");
	return status;
}
