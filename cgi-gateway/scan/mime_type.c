#include "cgi-gateway/scan/mime_type.h"

#include "cgi-gateway/scan/magic_rules.h"

#include <errno.h>
#include <magic.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct slot {
	pthread_mutex_t lock;
	magic_t cookie; /* NULL until first needed */
};

struct mime_types {
	const char *database; /* borrowed; NULL: magic_rules.h */
	/* libmagic stores the path of its database in a static variable */
	pthread_mutex_t load_lock;
	atomic_uint next;
	struct slot slots[MIME_TYPE_COOKIES];
};

/* --- cookies -------------------------------------------------------------- */

static bool set_limit(magic_t cookie, int param, size_t limit)
{
	return magic_setparam(cookie, param, &limit) == 0;
}

static bool write_rules(int fd)
{
	for (const char *const *r = magic_rules; *r != NULL; r++) {
		struct span s = span_of(*r);

		if (write(fd, s.p, s.len) != (ssize_t)s.len)
			return false;
	}
	return true;
}

/* The process may be out of descriptors for the moment */
static enum err load_failed(magic_t cookie, struct errmsg *why)
{
	enum err e = err_of_errno(magic_errno(cookie));

	return err_set(why, e == ERR_OVERLOADED ? e : ERR_CONFIG,
		       "libmagic: %s", magic_error(cookie));
}

/* libmagic reads rules from a file only; one in memory will do */
static enum err load_rules(magic_t cookie, struct errmsg *why)
{
	char path[sizeof("/proc/self/fd/") + 11];
	/* Without /proc: the database that is installed, if any */
	const bool installed = access("/proc/self/fd", X_OK) != 0;
	int fd = memfd_create("magic", MFD_CLOEXEC);
	enum err e = ERR_OK;

	if (fd < 0)
		return err_set(why, err_of_errno(errno), "memfd_create: %s",
			       strerror(errno));
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (!write_rules(fd))
		e = err_set(why, ERR_MEMORY, "out of memory");
	else if (magic_load(cookie, installed ? NULL : path) != 0)
		e = load_failed(cookie, why);
	(void)close(fd);
	return e;
}

static enum err load(magic_t cookie, const char *database, struct errmsg *why)
{
	if (database == NULL)
		return load_rules(cookie, why);
	if (magic_load(cookie, database) != 0)
		return err_set(why, ERR_CONFIG, "MAGIC_DATABASE: %s: %s",
			       database, magic_error(cookie));
	return ERR_OK;
}

static enum err cookie_open(const char *database, magic_t *out,
			    struct errmsg *why)
{
	magic_t cookie = magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS |
				    MAGIC_NO_CHECK_ELF | MAGIC_NO_CHECK_CDF);
	enum err e = ERR_OK;

	if (cookie == NULL)
		return err_set(why, ERR_MEMORY, "out of memory");
	/* With libmagic's default limits, 64 KiB of newlines take 0.3 s */
	if (!set_limit(cookie, MAGIC_PARAM_REGEX_MAX, MIME_TYPE_REGEX) ||
	    !set_limit(cookie, MAGIC_PARAM_ENCODING_MAX, MIME_TYPE_TEXT))
		e = err_set(why, ERR_CONFIG,
			    "libmagic does not support the limits that we set");
	if (e == ERR_OK)
		e = load(cookie, database, why);
	if (e == ERR_OK)
		*out = cookie;
	else
		magic_close(cookie);
	return e;
}

/* The caller has locked p->lock */
static enum err slot_load(struct mime_types *t, struct slot *p,
			  struct errmsg *why)
{
	enum err e;

	if (p->cookie != NULL)
		return ERR_OK;
	(void)pthread_mutex_lock(&t->load_lock);
	e = cookie_open(t->database, &p->cookie, why);
	(void)pthread_mutex_unlock(&t->load_lock);
	return e;
}

/* Lock the first free slot, so that no more cookies are made than are used at
 * the same time. If none is free, wait for the next one in turn. */
static struct slot *slot_lock(struct mime_types *t)
{
	struct slot *p;

	for (size_t i = 0; i < MIME_TYPE_COOKIES; i++)
		if (pthread_mutex_trylock(&t->slots[i].lock) == 0)
			return &t->slots[i];
	p = &t->slots[atomic_fetch_add(&t->next, 1) % MIME_TYPE_COOKIES];
	(void)pthread_mutex_lock(&p->lock);
	return p;
}

static void slot_unlock(struct slot *p)
{
	(void)pthread_mutex_unlock(&p->lock);
}

/* --- types ---------------------------------------------------------------- */

enum err mime_type_open(const char *database, struct mime_types **out,
			struct errmsg *why)
{
	struct mime_types *t = calloc(1, sizeof(*t));
	enum err e = ERR_OK;

	if (t == NULL)
		return err_set(why, ERR_MEMORY, "out of memory");
	t->database = database[0] != '\0' ? database : NULL;
	(void)pthread_mutex_init(&t->load_lock, NULL);
	for (size_t i = 0; i < MIME_TYPE_COOKIES; i++)
		(void)pthread_mutex_init(&t->slots[i].lock, NULL);
	if (t->database != NULL)
		e = slot_load(t, &t->slots[0], why);
	if (e == ERR_OK)
		*out = t;
	else
		mime_type_close(t);
	return e;
}

void mime_type_close(struct mime_types *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < MIME_TYPE_COOKIES; i++) {
		if (t->slots[i].cookie != NULL)
			magic_close(t->slots[i].cookie);
		(void)pthread_mutex_destroy(&t->slots[i].lock);
	}
	(void)pthread_mutex_destroy(&t->load_lock);
	free(t);
}

void mime_type_of(struct mime_types *t, struct span head,
		  char out[static FILE_TYPE_MAX + 1])
{
	const char *type = NULL;
	struct slot *p;
	struct errmsg ignored;
	char twice[2];

	/* libmagic does not examine a file of one byte */
	if (head.len == 1) {
		twice[0] = twice[1] = head.p[0];
		head = (struct span) { twice, sizeof(twice) };
	}
	p = slot_lock(t);
	if (slot_load(t, p, &ignored) == ERR_OK)
		type = magic_buffer(p->cookie, head.len > 0 ? head.p : "",
				    head.len);
	if (type != NULL)
		file_type_clean(span_of(type), out);
	else
		out[0] = '\0';
	slot_unlock(p);
}
