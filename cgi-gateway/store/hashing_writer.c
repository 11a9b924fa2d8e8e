#include "cgi-gateway/store/hashing_writer.h"

#include <string.h>

enum err hashing_writer_open(struct hashing_writer *w, struct store *s,
			     const char *id, int64_t max, struct errmsg *why)
{
	*w = (struct hashing_writer) { .max = max };
	sha256_init(&w->hash);
	return store_writer_open(s, id, &w->writer, why);
}

enum err hashing_writer_write(struct hashing_writer *w, struct span bytes,
			      struct errmsg *why)
{
	if ((int64_t)bytes.len > w->max - w->size)
		return ERR_TOO_LARGE;
	w->size += (int64_t)bytes.len;
	/* Hash first: this brings the bytes into the CPU cache for the copy */
	sha256_add(&w->hash, bytes);
	return store_writer_write(w->writer, bytes, why);
}

enum err hashing_writer_commit(struct hashing_writer *w,
			       const unsigned char *expected,
			       unsigned char sha256[static SHA256_LEN],
			       struct errmsg *why)
{
	unsigned char sum[SHA256_LEN];
	struct store_writer *writer = w->writer;
	enum err e;

	sha256_end(&w->hash, sum);
	if (expected != NULL &&
	    !digest_equal((struct span) { (const char *)sum, SHA256_LEN },
			  (struct span) { (const char *)expected, SHA256_LEN }))
		return ERR_DIGEST;
	w->writer = NULL;
	e = store_writer_commit(writer, why);
	if (e == ERR_OK)
		memcpy(sha256, sum, SHA256_LEN);
	return e;
}

void hashing_writer_abort(struct hashing_writer *w)
{
	store_writer_abort(w->writer);
	w->writer = NULL;
}
