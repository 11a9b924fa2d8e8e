#include "common/db/row_memory.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
	WAYS = 4, /* rows of a set */
	SETS = ROW_MEMORY_MAX / WAYS,
	LOCKS = 16,
};

struct place {
	size_t len; /* of the key; 0: empty */
	char key[ROW_MEMORY_KEY];
	uint64_t used; /* the set's count at the last use */
	struct row_note note;
};

struct row_memory {
	size_t size;
	pthread_mutex_t locks[LOCKS];
	struct place *places;
	char *rows; /* pages that no row has used occupy no memory */
	uint64_t uses[SETS];
};

struct row_memory *row_memory_new(size_t size)
{
	struct row_memory *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->size = size;
	for (size_t i = 0; i < LOCKS; i++)
		(void)pthread_mutex_init(&m->locks[i], NULL);
	m->places = calloc(ROW_MEMORY_MAX, sizeof(*m->places));
	m->rows = calloc(ROW_MEMORY_MAX, size);
	if (m->places != NULL && m->rows != NULL)
		return m;
	row_memory_free(m);
	return NULL;
}

void row_memory_free(struct row_memory *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < LOCKS; i++)
		(void)pthread_mutex_destroy(&m->locks[i]);
	free(m->places);
	free(m->rows);
	free(m);
}

static size_t set_of(struct span key)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a */

	for (size_t i = 0; i < key.len; i++)
		h = (h ^ (unsigned char)key.p[i]) * 1099511628211u;
	/* The last byte has changed the lowest and the highest bits only */
	h = (h ^ h >> 32) * 0x9e3779b97f4a7c15u;
	return (size_t)(h >> 32) % SETS;
}

static pthread_mutex_t *lock_of(struct row_memory *m, size_t set)
{
	return &m->locks[set % LOCKS];
}

static bool find(const struct row_memory *m, size_t set, struct span key,
		 size_t *at)
{
	for (size_t i = set * WAYS; i < (set + 1) * WAYS; i++) {
		const struct place *p = &m->places[i];

		if (p->len == key.len && p->len > 0 &&
		    memcmp(p->key, key.p, key.len) == 0) {
			*at = i;
			return true;
		}
	}
	return false;
}

bool row_memory_find(struct row_memory *m, struct span key, void *row,
		     struct row_note *note)
{
	size_t set = set_of(key), at = 0;
	bool found;

	(void)pthread_mutex_lock(lock_of(m, set));
	found = find(m, set, key, &at);
	if (found) {
		m->places[at].used = ++m->uses[set];
		*note = m->places[at].note;
		memcpy(row, m->rows + at * m->size, m->size);
	}
	(void)pthread_mutex_unlock(lock_of(m, set));
	return found;
}

void row_memory_keep(struct row_memory *m, struct span key, const void *row,
		     const struct row_note *note)
{
	size_t set = set_of(key), at = set * WAYS;
	struct place *p;

	if (key.len == 0 || key.len > ROW_MEMORY_KEY)
		return;
	(void)pthread_mutex_lock(lock_of(m, set));
	if (!find(m, set, key, &at))
		for (size_t i = set * WAYS; i < (set + 1) * WAYS; i++)
			if (m->places[i].used < m->places[at].used)
				at = i;
	p = &m->places[at];
	p->len = key.len;
	memcpy(p->key, key.p, key.len);
	p->used = ++m->uses[set];
	p->note = *note;
	memcpy(m->rows + at * m->size, row, m->size);
	(void)pthread_mutex_unlock(lock_of(m, set));
}
