#include "common/token/token_memory.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum {
	WAYS = 4, /* entries of a set */
	SETS = TOKEN_MEMORY_MAX / WAYS,
	LOCKS = 16,
};

struct entry {
	struct token_name name;
	uint64_t ring; /* 0: empty */
	int64_t until;
	uint64_t used; /* the set's count at the last use */
	struct claims claims;
};

struct set {
	uint64_t uses;
	struct entry entries[WAYS];
};

struct token_memory {
	unsigned char key[crypto_generichash_KEYBYTES];
	pthread_mutex_t locks[LOCKS];
	struct set *sets; /* pages that no token has used occupy no memory */
};

struct token_memory *token_memory_new(void)
{
	struct token_memory *m = calloc(1, sizeof(*m));

	if (m != NULL)
		m->sets = calloc(SETS, sizeof(*m->sets));
	if (m == NULL || m->sets == NULL) {
		free(m);
		return NULL;
	}
	randombytes_buf(m->key, sizeof(m->key));
	for (size_t i = 0; i < LOCKS; i++)
		(void)pthread_mutex_init(&m->locks[i], NULL);
	return m;
}

void token_memory_free(struct token_memory *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < LOCKS; i++)
		(void)pthread_mutex_destroy(&m->locks[i]);
	free(m->sets);
	free(m);
}

void token_memory_name(const struct token_memory *m, struct span token,
		       struct token_name *out)
{
	(void)crypto_generichash(out->bytes, sizeof(out->bytes),
				 (const unsigned char *)token.p, token.len,
				 m->key, sizeof(m->key));
}

/* The bytes are as good as random: any of them choose the set */
static size_t set_of(const struct token_name *name)
{
	return ((size_t)name->bytes[0] << 8 | name->bytes[1]) % SETS;
}

static struct entry *find(struct set *s, const struct token_name *name)
{
	for (size_t i = 0; i < WAYS; i++)
		if (s->entries[i].ring != 0 &&
		    sodium_memcmp(s->entries[i].name.bytes, name->bytes,
				  sizeof(name->bytes)) == 0)
			return &s->entries[i];
	return NULL;
}

bool token_memory_find(struct token_memory *m, const struct token_name *name,
		       uint64_t ring, int64_t now, struct claims *out)
{
	size_t at = set_of(name);
	struct entry *found;
	bool good;

	(void)pthread_mutex_lock(&m->locks[at % LOCKS]);
	found = find(&m->sets[at], name);
	good = found != NULL && found->ring == ring && now < found->until;
	if (good) {
		found->used = ++m->sets[at].uses;
		*out = found->claims;
	}
	(void)pthread_mutex_unlock(&m->locks[at % LOCKS]);
	return good;
}

void token_memory_keep(struct token_memory *m, const struct token_name *name,
		       uint64_t ring, int64_t until, const struct claims *c)
{
	size_t at = set_of(name);
	struct set *s = &m->sets[at];
	struct entry *place;

	(void)pthread_mutex_lock(&m->locks[at % LOCKS]);
	place = find(s, name);
	if (place == NULL) {
		place = &s->entries[0];
		for (size_t i = 1; i < WAYS; i++)
			if (s->entries[i].used < place->used)
				place = &s->entries[i];
	}
	*place = (struct entry) { *name, ring, until, ++s->uses, *c };
	(void)pthread_mutex_unlock(&m->locks[at % LOCKS]);
}
