#include "common/server/workers.h"

#include "common/http/transport_fcgi.h"
#include "common/log/log.h"
#include "common/server/dispatch.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define SOCKET_CLOSED SIGUSR2

enum {
	WORKER_STACK = 256 * 1024, /* bytes; libmagic uses 40 KiB of it */
	WAKE_MS = 10,	/* between attempts to wake threads in accept */
	RETRY_MS = 50,	/* after an accept that failed with a local error */
	TOLD_MS = 1000, /* until all that share a socket have a signal */
};

/* What the worker threads of one process share */
struct workers {
	const struct program *program;
	const struct service *service;
	pthread_t *threads; /* owned */
	size_t count;
	pthread_mutex_t gate; /* held until `count` is known */
	atomic_bool stopping; /* when the queue of accept is empty */
	atomic_bool leaving;  /* now, whatever is queued */
	atomic_size_t running;
};

static void pause_ms(int64_t ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	(void)nanosleep(&t, NULL);
}

/* Another process has shut down our socket, so no more requests can arrive:
 * signal the main thread to stop */
static void close_socket(struct workers *workers)
{
	if (!atomic_exchange(&workers->stopping, true))
		(void)kill(getpid(), SOCKET_CLOSED);
}

static void *work(void *arg)
{
	struct workers *workers = arg;
	struct transport *t = transport_fcgi_new();
	struct arena arena;

	(void)pthread_mutex_lock(&workers->gate);
	(void)pthread_mutex_unlock(&workers->gate);
	arena_init(&arena);
	while (t != NULL && !atomic_load(&workers->leaving)) {
		enum err e = t->ops->accept(t);

		if (e == ERR_OK)
			dispatch_run(workers->program, workers->service, t,
				     &arena);
		else if (e == ERR_IO)
			pause_ms(RETRY_MS);
		else if (atomic_load(&workers->stopping))
			break;
		else if (e == ERR_GONE)
			close_socket(workers);
	}
	if (t != NULL)
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

/* The system refused further threads with the errno `failed`: log it and serve
 * with those that exist. What was sized by THREADS must be resized, or uploads
 * could occupy every thread. */
static void report_fewer(const struct workers *workers, size_t wanted,
			 int failed)
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

/* Start up to `wanted` threads, as the system allows. Returns the errno of the
 * first that it refused, or 0 */
static int start_threads(struct workers *workers, size_t wanted)
{
	pthread_attr_t attr;
	int failed = pthread_attr_init(&attr);

	if (failed != 0)
		return failed;
	(void)pthread_attr_setstacksize(&attr, WORKER_STACK);
	while (workers->count < wanted && failed == 0) {
		atomic_fetch_add(&workers->running, 1);
		failed = pthread_create(&workers->threads[workers->count],
					&attr, work, workers);
		if (failed == 0)
			workers->count++;
		else
			atomic_fetch_sub(&workers->running, 1);
	}
	(void)pthread_attr_destroy(&attr);
	return failed;
}

static bool start(struct workers *workers)
{
	size_t wanted = (size_t)workers->service->settings.threads;
	int failed;

	workers->threads = calloc(wanted, sizeof(*workers->threads));
	if (workers->threads == NULL)
		return false;
	(void)pthread_mutex_init(&workers->gate, NULL);
	(void)pthread_mutex_lock(&workers->gate);
	failed = start_threads(workers, wanted);
	if (workers->count > 0 && workers->count < wanted)
		report_fewer(workers, wanted, failed);
	(void)pthread_mutex_unlock(&workers->gate);
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
			(void)pthread_kill(workers->threads[i],
					   TRANSPORT_FCGI_WAKE);
		pause_ms(WAKE_MS);
		left -= WAKE_MS;
	}
	if (atomic_load(&workers->running) > 0)
		return false;
	for (size_t i = 0; i < workers->count; i++)
		(void)pthread_join(workers->threads[i], NULL);
	return true;
}

/* Wait for a signal to stop. Returns 0; or EX_OSERR if another process shut
 * down our socket and no signal follows, as one does if all that share it are
 * stopped one after another */
static int wait_for_end(sigset_t *ends)
{
	const struct timespec told = { TOLD_MS / 1000,
				       TOLD_MS % 1000 * 1000000 };
	int sig = 0;

	(void)sigwait(ends, &sig);
	if (sig != SOCKET_CLOSED || sigtimedwait(ends, NULL, &told) > 0)
		return 0;
	log_event(LOG_ERROR, "stop",
		  "another process has shut down the listening socket");
	return EX_OSERR;
}

int workers_serve(const struct program *p, const struct service *s)
{
	struct workers workers = { .program = p, .service = s };
	sigset_t ends;
	int status;

	set_signals(&ends);
	if (!start(&workers)) {
		log_event(LOG_ERROR, "start", "no thread could be started");
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
	(void)pthread_mutex_destroy(&workers.gate);
	free(workers.threads);
	log_event(LOG_INFO, "stop", "done");
	return status;
}
