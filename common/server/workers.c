#include "common/server/workers.h"

#include "common/log/log.h"
#include "common/server/worker_threads.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define SOCKET_CLOSED SIGUSR2

enum {
	SIGNAL_MS = 1000, /* until all that share a socket have the signal */
	TRIM_SECONDS = 2, /* between two returns of memory to the system */
	/* malloc: bytes from which on memory is mapped by itself, and so is
	 * returned when it is freed; and heaps, which threads share */
	MAPPED_MIN = 96 * 1024,
	HEAPS = 2,
	/* of CONNECTIONS, for requests that wait for their clients */
	PLACES = 3,
	PLACES_OF = 4,
	/* A resumable upload has its connection, its file and its mark */
	PLACE_DESCRIPTORS = 3,
};

/* Wake the main thread, which ends the process */
static void report_closed(void)
{
	(void)kill(getpid(), SOCKET_CLOSED);
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

/* By default malloc raises the first limit with each block that is freed, and
 * opens a heap for nearly every thread: after one large list or a thousand
 * uploads, the process would stay as large as it was then. */
static void set_memory(void)
{
	(void)mallopt(M_MMAP_THRESHOLD, MAPPED_MIN);
	(void)mallopt(M_TRIM_THRESHOLD, 2 * MAPPED_MIN);
	(void)mallopt(M_ARENA_MAX, HEAPS);
}

/* Use as many descriptors as the system allows, and return how many */
static size_t raise_descriptors(void)
{
	struct rlimit limit = { 0, 0 };

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 0;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	return (size_t)limit.rlim_max;
}

/* The number of requests that may wait for their clients */
static size_t places_of(const struct settings *s)
{
	size_t places = (size_t)s->connections * PLACES / PLACES_OF;
	size_t descriptors = raise_descriptors() / PLACE_DESCRIPTORS / 4 * 3;

	if (places > descriptors)
		places = descriptors;
	return places > 0 ? places : 1;
}

/* Wait for a signal. Meanwhile, return memory that requests have freed. */
static int wait_for_signal(const sigset_t *ends, struct worker_threads *t)
{
	const struct timespec tick = { .tv_sec = TRIM_SECONDS };
	int sig;

	do {
		sig = sigtimedwait(ends, NULL, &tick);
		if (sig < 0 && worker_threads_rest(t))
			(void)malloc_trim(0);
	} while (sig < 0);
	return sig;
}

/* Wait for a signal to stop. Returns 0; or EX_OSERR if another process shut
 * down our socket and no signal follows, as one does if all that share it are
 * stopped one after another */
static int wait_for_end(const sigset_t *ends, struct worker_threads *t)
{
	const struct timespec limit = { SIGNAL_MS / 1000,
					SIGNAL_MS % 1000 * 1000000 };

	if (wait_for_signal(ends, t) != SOCKET_CLOSED ||
	    sigtimedwait(ends, NULL, &limit) > 0)
		return 0;
	log_event(LOG_ERROR, "stop",
		  "another process has shut down the listening "
		  "socket; start this one again");
	return EX_OSERR;
}

int workers_serve(const struct program *p, struct service *s)
{
	struct worker_threads *threads = NULL;
	sigset_t ends;
	int status;

	set_signals(&ends);
	set_memory();
	if (worker_slots_new((size_t)s->settings.threads,
			     places_of(&s->settings), &s->slots) == ERR_OK)
		threads = worker_threads_start(p, s, report_closed);
	if (threads == NULL) {
		log_event(LOG_ERROR, "start",
			  "no thread could be started; raise the process's "
			  "limits of memory and tasks");
		exit(EX_OSERR);
	}
	log_event(LOG_INFO, "start", "ready");
	status = wait_for_end(&ends, threads);
	log_event(LOG_INFO, "stop", "draining");
	if (!worker_threads_drain(threads)) {
		/* Threads still use the memory: exit without freeing it */
		log_event(LOG_WARN, "stop",
			  "DRAIN_SECONDS passed; requests still in progress "
			  "were cut off");
		_Exit(status);
	}
	worker_slots_free(s->slots);
	log_event(LOG_INFO, "stop", "done");
	return status;
}
