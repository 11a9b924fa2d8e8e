#include "cgi-auth/password/low_priority.h"

#include <pthread.h>
#include <sys/resource.h>

struct low_priority_job {
	void (*work)(void *arg);
	void *arg;
};

static void *run_job(void *arg)
{
	const struct low_priority_job *j = arg;

	/* It applies to this thread only (setpriority(2), "C library/kernel
	 * differences"). If it fails, the work runs at normal priority. */
	(void)setpriority(PRIO_PROCESS, 0, LOW_PRIORITY_NICE);
	j->work(j->arg);
	return NULL;
}

enum err low_priority_run(void (*work)(void *arg), void *arg)
{
	struct low_priority_job j = { work, arg };
	pthread_t thread;

	if (pthread_create(&thread, NULL, run_job, &j) != 0)
		return ERR_UNAVAILABLE;
	(void)pthread_join(thread, NULL);
	return ERR_OK;
}
