#include "common/token/keyring_file.h"

#include "common/codec/config.h"

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A ring, freed when its last user has given it back. The ring is first, so it
 * has the address of the struct. */
struct counted_ring {
	struct keyring ring;
	size_t users;
	uint64_t number;
};

/* Identifies a version of a file: a rename changes the inode */
struct version {
	dev_t device;
	ino_t inode;
	struct timespec changed;
	off_t size;
};

struct keyring_file {
	char *path; /* owned; NULL: the keys never change */
	pthread_mutex_t lock;
	struct counted_ring *current;
	struct version version; /* of the last check */
	bool failed;		/* it could not be used */
	int64_t checked_at;	/* second of the last check */
	struct errmsg fault;
	bool fault_is_new;
	struct token_memory *verified; /* NULL: none is remembered */
};

static void unref_ring(struct counted_ring *h)
{
	if (--h->users > 0)
		return;
	keyring_release(&h->ring);
	free(h);
}

/* A ring of its own number, with one user */
static struct counted_ring *new_ring(void)
{
	static atomic_uint_fast64_t last;
	struct counted_ring *h = calloc(1, sizeof(*h));

	if (h != NULL) {
		h->users = 1;
		h->number = atomic_fetch_add(&last, 1) + 1;
	}
	return h;
}

static bool version_of(const char *path, struct version *out)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return false;
	*out = (struct version) { st.st_dev, st.st_ino, st.st_mtim,
				  st.st_size };
	return true;
}

static bool same_version(const struct version *a, const struct version *b)
{
	return a->device == b->device && a->inode == b->inode &&
	       a->changed.tv_sec == b->changed.tv_sec &&
	       a->changed.tv_nsec == b->changed.tv_nsec && a->size == b->size;
}

static enum err read_ring(const char *path, struct counted_ring **out,
			  struct errmsg *why)
{
	struct counted_ring *h = new_ring();
	struct errmsg cause;
	char *text = NULL;
	size_t len = 0;
	enum err e;

	if (h == NULL)
		return err_set(why, ERR_MEMORY, "out of memory");
	e = config_read_file(path, &text, &len, why);
	if (e == ERR_OK) {
		e = keyring_from_text((struct span) { text, len }, &h->ring,
				      &cause);
		if (e != ERR_OK)
			(void)err_set(why, e, "%s: %s", path, cause.text);
		sodium_memzero(text, len);
		free(text);
	}
	if (e != ERR_OK) {
		free(h);
		return e;
	}
	*out = h;
	return ERR_OK;
}

static enum err open_with(const char *path, struct counted_ring *first,
			  struct keyring_file **out, struct errmsg *why)
{
	struct keyring_file *f = calloc(1, sizeof(*f));

	if (f != NULL && path != NULL)
		f->path = strdup(path);
	if (f == NULL || (path != NULL && f->path == NULL)) {
		free(f);
		unref_ring(first);
		return err_set(why, ERR_MEMORY, "out of memory");
	}
	(void)pthread_mutex_init(&f->lock, NULL);
	f->current = first;
	*out = f;
	return ERR_OK;
}

enum err keyring_file_open(const char *path, struct keyring_file **out,
			   struct errmsg *why)
{
	struct version v = { 0 };
	struct counted_ring *first = NULL;
	enum err e;

	/* Read the version first, so that a change in between is noticed at the
	 * next check */
	(void)version_of(path, &v);
	e = read_ring(path, &first, why);
	if (e == ERR_OK)
		e = open_with(path, first, out, why);
	if (e == ERR_OK)
		(*out)->version = v;
	return e;
}

enum err keyring_file_fixed(struct span secret, struct keyring_file **out,
			    struct errmsg *why)
{
	struct counted_ring *first = new_ring();
	enum err e;

	if (first == NULL)
		return err_set(why, ERR_MEMORY, "out of memory");
	e = keyring_from_secret(secret, &first->ring, why);
	if (e != ERR_OK) {
		free(first);
		return e;
	}
	return open_with(NULL, first, out, why);
}

/* Call with the lock held. A version that could not be read is read again only
 * if `retry`: a file descriptor may have been missing. */
static void check_file(struct keyring_file *f, bool retry)
{
	struct counted_ring *fresh;
	struct version v = { 0 }; /* of a file that is not there */
	struct errmsg why;

	(void)version_of(f->path, &v);
	if (same_version(&v, &f->version) && !(retry && f->failed))
		return;
	f->version = v;
	f->failed = read_ring(f->path, &fresh, &why) != ERR_OK;
	if (f->failed) {
		f->fault_is_new |= strcmp(f->fault.text, why.text) != 0;
		f->fault = why;
		return;
	}
	f->fault.text[0] = '\0';
	f->fault_is_new = false;
	unref_ring(f->current);
	f->current = fresh;
}

bool keyring_file_look(struct keyring_file *f, const struct keyring *ring)
{
	bool others;

	if (f->path == NULL)
		return false;
	(void)pthread_mutex_lock(&f->lock);
	check_file(f, false);
	others = &f->current->ring != ring;
	(void)pthread_mutex_unlock(&f->lock);
	return others;
}

const struct keyring *keyring_file_take(struct keyring_file *f, int64_t now)
{
	struct counted_ring *h;

	(void)pthread_mutex_lock(&f->lock);
	if (f->path != NULL && f->checked_at != now) {
		f->checked_at = now;
		check_file(f, true);
	}
	h = f->current;
	h->users++;
	(void)pthread_mutex_unlock(&f->lock);
	return &h->ring;
}

void keyring_file_give(struct keyring_file *f, const struct keyring *ring)
{
	struct counted_ring *h = (struct counted_ring *)(uintptr_t)ring;

	(void)pthread_mutex_lock(&f->lock);
	unref_ring(h);
	(void)pthread_mutex_unlock(&f->lock);
}

uint64_t keyring_file_number(const struct keyring *ring)
{
	return ((const struct counted_ring *)(uintptr_t)ring)->number;
}

void keyring_file_remember(struct keyring_file *f)
{
	if (f->verified == NULL)
		f->verified = token_memory_new();
}

struct token_memory *keyring_file_memory(const struct keyring_file *f)
{
	return f->verified;
}

bool keyring_file_fault(struct keyring_file *f, struct errmsg *why)
{
	bool is_new;

	(void)pthread_mutex_lock(&f->lock);
	is_new = f->fault_is_new;
	f->fault_is_new = false;
	if (is_new)
		*why = f->fault;
	(void)pthread_mutex_unlock(&f->lock);
	return is_new;
}

void keyring_file_close(struct keyring_file *f)
{
	if (f == NULL)
		return;
	unref_ring(f->current);
	token_memory_free(f->verified);
	(void)pthread_mutex_destroy(&f->lock);
	free(f->path);
	free(f);
}
