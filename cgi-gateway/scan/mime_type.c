#include "cgi-gateway/scan/mime_type.h"

#include <magic.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct place {
	pthread_mutex_t lock;
	magic_t cookie; /* NULL until it is needed */
};

struct mime_types {
	const char *database;	/* borrowed; NULL: libmagic's own */
	pthread_mutex_t making; /* libmagic finds its database in a static */
	atomic_uint turn;
	struct place places[MIME_TYPE_COOKIES];
};

/* --- cookies ------------------------------------------------------------ */

static bool set_limit(magic_t cookie, int param, size_t limit)
{
	return magic_setparam(cookie, param, &limit) == 0;
}

static enum err cookie_open(const char *database, magic_t *out,
			    struct errmsg *why)
{
	magic_t cookie = magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS |
				    MAGIC_NO_CHECK_ELF | MAGIC_NO_CHECK_CDF);
	enum err e = ERR_OK;

	if (cookie == NULL)
		return err_set(why, ERR_MEMORY, "out of memory");
	/* With libmagic's own limits 64 KiB of newlines take it 0.3 s */
	if (!set_limit(cookie, MAGIC_PARAM_REGEX_MAX, MIME_TYPE_REGEX) ||
	    !set_limit(cookie, MAGIC_PARAM_ENCODING_MAX, MIME_TYPE_TEXT))
		e = err_set(why, ERR_CONFIG, "libmagic knows no limits");
	if (e == ERR_OK && magic_load(cookie, database) != 0)
		e = err_set(why, ERR_CONFIG, "MAGIC_DATABASE: %s: %s",
			    database != NULL ? database : "libmagic's own",
			    magic_error(cookie));
	if (e == ERR_OK)
		*out = cookie;
	else
		magic_close(cookie);
	return e;
}

/* The caller holds p->lock */
static enum err place_fill(struct mime_types *s, struct place *p,
			   struct errmsg *why)
{
	enum err e;

	if (p->cookie != NULL)
		return ERR_OK;
	(void)pthread_mutex_lock(&s->making);
	e = cookie_open(s->database, &p->cookie, why);
	(void)pthread_mutex_unlock(&s->making);
	return e;
}

/* The first that is free, so that no more are made than work at a time; or the
 * next in turn. */
static struct place *place_take(struct mime_types *s)
{
	struct place *p;

	for (size_t i = 0; i < MIME_TYPE_COOKIES; i++)
		if (pthread_mutex_trylock(&s->places[i].lock) == 0)
			return &s->places[i];
	p = &s->places[atomic_fetch_add(&s->turn, 1) % MIME_TYPE_COOKIES];
	(void)pthread_mutex_lock(&p->lock);
	return p;
}

static void place_give(struct place *p)
{
	(void)pthread_mutex_unlock(&p->lock);
}

/* --- the sniffer -------------------------------------------------------- */

enum err mime_type_open(const char *database, struct mime_types **out,
			struct errmsg *why)
{
	struct mime_types *s = calloc(1, sizeof(*s));
	enum err e;

	if (s == NULL)
		return err_set(why, ERR_MEMORY, "out of memory");
	s->database = database[0] != '\0' ? database : NULL;
	(void)pthread_mutex_init(&s->making, NULL);
	for (size_t i = 0; i < MIME_TYPE_COOKIES; i++)
		(void)pthread_mutex_init(&s->places[i].lock, NULL);
	e = place_fill(s, &s->places[0], why);
	if (e == ERR_OK)
		*out = s;
	else
		mime_type_close(s);
	return e;
}

void mime_type_close(struct mime_types *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < MIME_TYPE_COOKIES; i++) {
		if (s->places[i].cookie != NULL)
			magic_close(s->places[i].cookie);
		(void)pthread_mutex_destroy(&s->places[i].lock);
	}
	(void)pthread_mutex_destroy(&s->making);
	free(s);
}

void mime_type_of(struct mime_types *s, struct span head,
		  char out[static FILE_TYPE_MAX + 1])
{
	const char *type = NULL;
	struct place *p;
	struct errmsg ignored;
	char twice[2];

	/* libmagic does not look at a single byte */
	if (head.len == 1) {
		twice[0] = twice[1] = head.p[0];
		head = (struct span) { twice, sizeof(twice) };
	}
	p = place_take(s);
	if (place_fill(s, p, &ignored) == ERR_OK)
		type = magic_buffer(p->cookie, head.len > 0 ? head.p : "",
				    head.len);
	if (type != NULL)
		file_type_clean(span_of(type), out);
	else
		out[0] = '\0';
	place_give(p);
}
