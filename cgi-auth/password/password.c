#include "cgi-auth/password/password.h"

#include "cgi-auth/password/low_priority.h"
#include "common/codec/normalize.h"

#include <crypt.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	HEX_HASH_MIN = 32, /* digits of an MD5, the shortest in use */
	SCHEME_MAX = 16, /* characters of "argon2id", "SSHA512" and the like */
};

static const char *const kind_names[] = {
	[PASSWORD_ARGON2ID] = "argon2id",
	[PASSWORD_CRYPT] = "imported",
	[PASSWORD_UNKNOWN] = "unknown",
	[PASSWORD_PLAIN] = "plaintext",
};

static const char *const crypt_prefixes[] = {
	"$2y$", "$2b$", "$2a$", "$6$", "$5$", "$y$",
};

/* A low priority has effect within one control group only (in containers, and
 * where the kernel groups by session); so half of the processors stays free. */
static size_t half_of_the_processors(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n > 1 ? (size_t)(n + 1) / 2 : 1;
}

/* A quarter of the places to wait */
static size_t known_places(size_t max_waiting)
{
	return (max_waiting + 2) / 4;
}

enum err passwords_init(struct passwords *p, int64_t memory, int64_t passes,
			size_t slots, size_t max_waiting)
{
	p->memory = (uint64_t)memory;
	p->passes = (uint64_t)passes;
	/* Salt and hash are all zero bits. A check against it costs what a real
	 * one costs, and no hash is computed at the start, which a plain CGI
	 * process would pay for each time. */
	(void)snprintf(p->decoy, sizeof(p->decoy),
		       "$argon2id$v=19$m=%llu,t=%llu,p=1$%s$%s",
		       (unsigned long long)p->memory / 1024,
		       (unsigned long long)p->passes, "AAAAAAAAAAAAAAAAAAAAAA",
		       "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
	return fifo_semaphore_init(
		&p->slots, slots > 0 ? slots : half_of_the_processors(),
		(size_t[]) { max_waiting - known_places(max_waiting),
			     known_places(max_waiting) });
}

void passwords_release(struct passwords *p)
{
	fifo_semaphore_release(&p->slots);
}

static bool is_hex_hash(const char *s)
{
	size_t n = strspn(s, "0123456789abcdefABCDEF");

	return s[n] == '\0' && n >= HEX_HASH_MIN;
}

/* "$id$…" of crypt(5), "{SCHEME}…" of RFC 2307, "*" and hex of MySQL's
 * PASSWORD(), and the "!" and "*" that lock an account */
static bool looks_hashed(const char *s)
{
	size_t n;

	s += strspn(s, "!*");
	if (s[0] == '\0')
		return true;
	if (s[0] != '$' && s[0] != '{')
		return is_hex_hash(s);
	n = strcspn(s + 1, s[0] == '$' ? "$" : "}");
	return n > 0 && n < SCHEME_MAX && s[n + 1] != '\0';
}

enum password_kind password_kind(const char *stored)
{
	struct span s = span_of(stored);

	if (span_has_prefix(s, SPAN("$argon2id$")))
		return PASSWORD_ARGON2ID;
	if (span_has_prefix(s, SPAN("$argon2i$")))
		return PASSWORD_CRYPT;
	for (size_t i = 0; i < sizeof(crypt_prefixes) / sizeof(char *); i++)
		if (span_has_prefix(s, span_of(crypt_prefixes[i])))
			return PASSWORD_CRYPT;
	return looks_hashed(stored) ? PASSWORD_UNKNOWN : PASSWORD_PLAIN;
}

const char *password_kind_name(enum password_kind k)
{
	return kind_names[k];
}

/* The spellings of a password that are compared with a stored hash, without
 * duplicates. Their number depends on the password alone, so the time of a
 * check shows nothing of the user. */
enum { SPELLINGS = 3 };

struct spellings {
	const char *text[SPELLINGS];
	size_t count;
	char opaque[NORMALIZE_SIZE], nfd[NORMALIZE_SIZE];
};

static void add_spelling(struct spellings *s, const char *text)
{
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->text[i], text) == 0)
			return;
	s->text[s->count++] = text;
}

/* As it was sent, because a hash may be older than the rule; as new hashes have
 * it; and decomposed, for an old hash of what a Mac sent */
static void spell(const char *password, struct spellings *s)
{
	struct span text = span_of(password);

	s->count = 0;
	add_spelling(s, password);
	/* A text that has no normal form is compared as it is */
	if (normalize(text, NORMAL_OPAQUE, s->opaque) != ERR_OK)
		(void)snprintf(s->opaque, sizeof(s->opaque), "%s", password);
	else if (normalize(text, NORMAL_NFD, s->nfd) == ERR_OK) {
		add_spelling(s, s->opaque);
		add_spelling(s, s->nfd);
	}
}

/* The work of a low-priority thread, for which the caller waits */
struct hash_job {
	const struct passwords *p;
	const char *stored;
	struct spellings spellings;
	size_t found; /* the spelling that matched */
	char hash[crypto_pwhash_STRBYTES];
	enum err result;
};

/* Run the job as soon as a slot is free */
static enum err run_in_slot(struct passwords *p, enum fifo_queue_name q,
			    void (*work)(void *), struct hash_job *j)
{
	enum err e = fifo_semaphore_enter(&p->slots, q, PASSWORD_WAIT_MS);

	if (e == ERR_OK) {
		e = low_priority_run(work, j);
		fifo_semaphore_leave(&p->slots);
	}
	sodium_memzero(&j->spellings, sizeof(j->spellings));
	return e == ERR_OK ? j->result : e;
}

static void do_hash(void *arg)
{
	struct hash_job *j = arg;
	const char *text = j->spellings.opaque;

	j->result = ERR_OK;
	if (crypto_pwhash_str_alg(j->hash, text, strlen(text), j->p->passes,
				  j->p->memory,
				  crypto_pwhash_ALG_ARGON2ID13) != 0)
		j->result = ERR_UNAVAILABLE;
}

enum err password_hash(struct passwords *p, const char *password,
		       char out[static PASSWORD_HASH_MAX + 1])
{
	struct hash_job j = { .p = p };
	enum err e;

	spell(password, &j.spellings);
	/* Only after a right password, or by the operator */
	e = run_in_slot(p, FIFO_KNOWN, do_hash, &j);
	if (e == ERR_OK)
		(void)snprintf(out, PASSWORD_HASH_MAX + 1, "%s", j.hash);
	return e;
}

/* ERR_INVALID: not a valid hash of this kind, so nothing was computed */
static enum err check_argon2(const char *stored, const char *password)
{
	errno = 0;
	if (crypto_pwhash_str_verify(stored, password, strlen(password)) == 0)
		return ERR_OK;
	if (errno == ENOMEM)
		return ERR_UNAVAILABLE;
	/* libsodium sets EINVAL for a mismatch, and nothing for a bad form */
	return errno == EINVAL ? ERR_CREDENTIALS : ERR_INVALID;
}

static enum err check_crypt(const char *stored, const char *password)
{
	/* 32 KiB, too much for a worker's stack */
	struct crypt_data *d = calloc(1, sizeof(*d));
	size_t len = strlen(stored);
	enum err e = ERR_CREDENTIALS;
	const char *hash;

	if (d == NULL)
		return ERR_UNAVAILABLE;
	hash = crypt_r(password, stored, d);
	if (hash == NULL || hash[0] == '*')
		e = ERR_INVALID;
	else if (strlen(hash) == len && sodium_memcmp(hash, stored, len) == 0)
		e = ERR_OK;
	sodium_memzero(d, sizeof(*d));
	free(d);
	return e;
}

static enum err check_hash(const struct passwords *p, const char *stored,
			   const char *password)
{
	enum err e = ERR_INVALID, decoy;

	if (span_has_prefix(span_of(stored), SPAN("$argon2")))
		e = check_argon2(stored, password);
	else if (stored != NULL && password_kind(stored) == PASSWORD_CRYPT)
		e = check_crypt(stored, password);
	if (e != ERR_INVALID)
		return e;
	decoy = check_argon2(p->decoy, password);
	if (decoy == ERR_UNAVAILABLE)
		return decoy;
	return stored != NULL ? ERR_INVALID : ERR_CREDENTIALS;
}

/* Every spelling is compared until one matches; a wrong password is compared in
 * all of them, whether there is a user or not */
static void do_check(void *arg)
{
	struct hash_job *j = arg;
	const struct spellings *s = &j->spellings;

	for (j->found = 0; j->found < s->count; j->found++) {
		j->result = check_hash(j->p, j->stored, s->text[j->found]);
		if (j->result == ERR_OK || j->result == ERR_UNAVAILABLE)
			return;
	}
}

enum err password_check(struct passwords *p, enum fifo_queue_name q,
			const char *stored, const char *password, bool *renew)
{
	struct hash_job j = { .p = p, .stored = stored };
	bool normal;
	enum err e;

	spell(password, &j.spellings);
	normal = strcmp(password, j.spellings.opaque) == 0;
	e = run_in_slot(p, q, do_check, &j);
	/* The second spelling, if there are two, is the one of new hashes */
	if (e == ERR_OK && renew != NULL)
		*renew = j.found != (normal ? 0 : 1) ||
			 password_needs_rehash(p, stored);
	return e;
}

bool password_needs_rehash(const struct passwords *p, const char *stored)
{
	return password_kind(stored) != PASSWORD_ARGON2ID ||
	       crypto_pwhash_str_needs_rehash(stored, p->passes, p->memory) !=
		       0;
}
