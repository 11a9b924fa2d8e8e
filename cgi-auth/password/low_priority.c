#include "cgi-auth/password/low_priority.h"

#include <pthread.h>
#include <sys/resource.h>

struct job {
	void (*work)(void *arg);
	void *arg;
};

static void *start(void *arg)
{
	const struct job *j = arg;

	/* Of this thread alone (setpriority(2), "C library/kernel
	 * differences"). Without it the work is done all the same. */
	(void)setpriority(PRIO_PROCESS, 0, LOW_PRIORITY_NICE);
	j->work(j->arg);
	return NULL;
}

enum err low_priority_run(void (*work)(void *arg), void *arg)
{
	struct job j = { work, arg };
	pthread_t thread;

	if (pthread_create(&thread, NULL, start, &j) != 0)
		return ERR_UNAVAILABLE;
	(void)pthread_join(thread, NULL);
	return ERR_OK;
}
