#include "cgi-gateway/scan/clamd_lookup.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum {
	LOOKUP_STACK = 256 * 1024, /* bytes, as a worker's */
};

/* Shared by the caller and the thread. The last one to finish frees it. */
struct lookup {
	struct clamd_address address;
	pthread_mutex_t lock;
	pthread_cond_t has_ended;
	bool ended;	/* the thread has finished */
	bool abandoned; /* the caller has returned */
	int error;	/* of getaddrinfo() */
	struct addrinfo *found;
};

static atomic_int running;

static const struct addrinfo stream_socket = { .ai_socktype = SOCK_STREAM };

static struct lookup *lookup_new(const struct clamd_address *a)
{
	struct lookup *l = calloc(1, sizeof(*l));
	pthread_condattr_t attr;

	if (l == NULL || pthread_condattr_init(&attr) != 0) {
		free(l);
		return NULL;
	}
	l->address = *a;
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_mutex_init(&l->lock, NULL);
	(void)pthread_cond_init(&l->has_ended, &attr);
	(void)pthread_condattr_destroy(&attr);
	return l;
}

static void lookup_free(struct lookup *l)
{
	if (l->found != NULL)
		freeaddrinfo(l->found);
	(void)pthread_cond_destroy(&l->has_ended);
	(void)pthread_mutex_destroy(&l->lock);
	free(l);
}

static void *lookup_run(void *arg)
{
	struct lookup *l = arg;
	struct addrinfo *found = NULL;
	int error = getaddrinfo(l->address.host, l->address.port,
				&stream_socket, &found);
	bool abandoned;

	/* First give up the place, which the caller's next look-up may need */
	atomic_fetch_sub(&running, 1);
	(void)pthread_mutex_lock(&l->lock);
	l->ended = true;
	l->error = error;
	l->found = error == 0 ? found : NULL;
	abandoned = l->abandoned;
	(void)pthread_cond_signal(&l->has_ended);
	(void)pthread_mutex_unlock(&l->lock);
	if (abandoned)
		lookup_free(l);
	return NULL;
}

/* 0, or an errno value */
static int lookup_start(struct lookup *l)
{
	pthread_attr_t attr;
	pthread_t thread;
	int error;

	if (atomic_fetch_add(&running, 1) >= CLAMD_LOOKUPS_MAX) {
		atomic_fetch_sub(&running, 1);
		return EAGAIN;
	}
	error = pthread_attr_init(&attr);
	if (error == 0) {
		(void)pthread_attr_setstacksize(&attr, LOOKUP_STACK);
		(void)pthread_attr_setdetachstate(&attr,
						  PTHREAD_CREATE_DETACHED);
		error = pthread_create(&thread, &attr, lookup_run, l);
		(void)pthread_attr_destroy(&attr);
	}
	if (error != 0)
		atomic_fetch_sub(&running, 1);
	return error;
}

/* Return false if it is abandoned; it then belongs to its thread */
static bool lookup_wait(struct lookup *l, int64_t deadline)
{
	const struct timespec until = { deadline / 1000,
					deadline % 1000 * 1000000 };
	bool ended;

	(void)pthread_mutex_lock(&l->lock);
	while (!l->ended &&
	       pthread_cond_timedwait(&l->has_ended, &l->lock, &until) == 0)
		;
	ended = l->ended;
	l->abandoned = !ended;
	(void)pthread_mutex_unlock(&l->lock);
	return ended;
}

static enum err lookup_name(const struct clamd_address *a, int64_t deadline,
			    struct addrinfo **out, struct errmsg *why)
{
	struct lookup *l = lookup_new(a);
	enum err e = ERR_OK;
	int error;

	if (l == NULL)
		return err_set(why, ERR_MEMORY, "out of memory");
	error = lookup_start(l);
	if (error != 0) {
		lookup_free(l);
		return err_set(why, ERR_UNAVAILABLE,
			       "clamd: cannot look up %s: too many look-ups or "
			       "threads are running",
			       a->host);
	}
	if (!lookup_wait(l, deadline))
		return err_set(why, ERR_UNAVAILABLE,
			       "clamd: timed out while looking up %s", a->host);
	if (l->error == 0) {
		*out = l->found;
		l->found = NULL;
	} else {
		e = err_set(why, ERR_UNAVAILABLE, "clamd: %s: %s", a->host,
			    gai_strerror(l->error));
	}
	lookup_free(l);
	return e;
}

enum err clamd_lookup(const struct clamd_address *a, int64_t deadline,
		      struct addrinfo **out, struct errmsg *why)
{
	const struct addrinfo numeric = {
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
	};
	struct addrinfo *found = NULL;

	if (getaddrinfo(a->host, a->port, &numeric, &found) == 0) {
		*out = found;
		return ERR_OK;
	}
	return lookup_name(a, deadline, out, why);
}
