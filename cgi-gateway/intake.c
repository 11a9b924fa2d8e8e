#include "intake.h"

enum err intake_begin(struct intake *in, struct store *s, struct file *file,
		      int64_t max, struct errmsg *m)
{
	*in = (struct intake) { .file = file, .max = max };
	file->size = 0;
	sha256_init(&in->hash);
	return store_begin(s, file->id, &in->writer, m);
}

enum err intake_add(struct intake *in, struct span bytes, struct errmsg *m)
{
	if ((int64_t)bytes.len > in->max - in->file->size)
		return ERR_TOO_LARGE;
	in->file->size += (int64_t)bytes.len;
	/* The hash first: it brings the bytes into the cache for the copy */
	sha256_add(&in->hash, bytes);
	return store_write(in->writer, bytes, m);
}

enum err intake_finish(struct intake *in, const unsigned char *expected,
		       struct errmsg *m)
{
	struct span sum = { (const char *)in->file->sha256, SHA256_LEN };
	struct store_writer *w = in->writer;

	sha256_end(&in->hash, in->file->sha256);
	if (expected != NULL &&
	    !digest_equal(sum,
			  (struct span) { (const char *)expected, SHA256_LEN }))
		return ERR_DIGEST;
	in->writer = NULL;
	return store_finish(w, m);
}

void intake_abandon(struct intake *in)
{
	store_abandon(in->writer);
	in->writer = NULL;
}
