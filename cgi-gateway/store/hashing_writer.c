#include "cgi-gateway/store/hashing_writer.h"

enum err hashing_writer_begin(struct hashing_writer *in, struct store *s,
			      struct file *file, int64_t max,
			      struct errmsg *why)
{
	*in = (struct hashing_writer) { .file = file, .max = max };
	file->size = 0;
	sha256_init(&in->hash);
	return store_writer_open(s, file->id, &in->writer, why);
}

enum err hashing_writer_add(struct hashing_writer *in, struct span bytes,
			    struct errmsg *why)
{
	if ((int64_t)bytes.len > in->max - in->file->size)
		return ERR_TOO_LARGE;
	in->file->size += (int64_t)bytes.len;
	/* The hash first: it brings the bytes into the cache for the copy */
	sha256_add(&in->hash, bytes);
	return store_writer_write(in->writer, bytes, why);
}

enum err hashing_writer_finish(struct hashing_writer *in,
			       const unsigned char *expected,
			       struct errmsg *why)
{
	struct span sum = { (const char *)in->file->sha256, SHA256_LEN };
	struct store_writer *w = in->writer;

	sha256_end(&in->hash, in->file->sha256);
	if (expected != NULL &&
	    !digest_equal(sum,
			  (struct span) { (const char *)expected, SHA256_LEN }))
		return ERR_DIGEST;
	in->writer = NULL;
	return store_writer_commit(w, why);
}

void hashing_writer_abandon(struct hashing_writer *in)
{
	store_writer_abort(in->writer);
	in->writer = NULL;
}
