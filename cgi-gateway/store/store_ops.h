/* store_ops.h - what an implementation of the store provides.
 *
 * An implementation is a folder beside this file, for instance disk/. Its open
 * function returns a struct that begins with a `struct store` whose `ops` it
 * has set; cgi-gateway/app/chosen_store.c lists these functions. What its calls
 * open begins with the struct of that name below, whose `ops` store.c sets.
 * Nothing else includes this file.
 *
 * Each member implements the function of its name in store.h, resumable.h or
 * resumable_commit.h. It is never called with NULL to close or abort.
 */
#ifndef STORE_OPS_H
#define STORE_OPS_H

#include "cgi-gateway/store/resumable.h"
#include "cgi-gateway/store/resumable_commit.h"
#include "cgi-gateway/store/store.h"

struct store {
	const struct store_ops *ops;
};

struct store_writer {
	const struct store_writer_ops *ops;
};

struct store_reader {
	const struct store_reader_ops *ops;
};

struct resumable {
	const struct resumable_ops *ops;
};

struct resumable_commit {
	const struct resumable_commit_ops *ops;
};

struct store_writer_ops {
	enum err (*open)(struct store *s, const char *id,
			 struct store_writer **out, struct errmsg *why);
	enum err (*write)(struct store_writer *w, struct span bytes,
			  struct errmsg *why);
	enum err (*read)(struct store_writer *w, int64_t from, char *to,
			 size_t cap, size_t *got, struct errmsg *why);
	enum err (*commit)(struct store_writer *w, struct errmsg *why);
	void (*abort)(struct store_writer *w);
};

struct store_reader_ops {
	enum err (*open)(struct store *s, const char *id, int64_t from,
			 struct store_reader **out, int64_t *size,
			 struct errmsg *why);
	enum err (*read)(struct store_reader *r, char *to, size_t cap,
			 size_t *got, struct errmsg *why);
	void (*no_cache)(struct store_reader *r);
	void (*close)(struct store_reader *r);
};

struct resumable_ops {
	enum err (*create)(struct store *s, const char *id, struct errmsg *why);
	enum err (*offset)(struct store *s, const char *id, int64_t *offset,
			   int64_t *written_at, struct errmsg *why);
	enum err (*remove)(struct store *s, const char *id, struct errmsg *why);
	enum err (*open)(struct store *s, const char *id, int64_t *at,
			 bool tentative, struct resumable **out,
			 struct errmsg *why);
	enum err (*write)(struct resumable *r, struct span bytes,
			  struct errmsg *why);
	enum err (*flush)(struct resumable *r, struct errmsg *why);
	enum err (*sync)(struct resumable *r, struct errmsg *why);
	enum err (*append)(struct resumable *r, const char *id, int64_t length,
			   struct errmsg *why);
	int64_t (*at)(const struct resumable *r);
	void (*close)(struct resumable *r);
};

struct resumable_commit_ops {
	enum err (*begin)(struct store *s, const char *id, int64_t length,
			  struct resumable_commit **out,
			  unsigned char sha256[static SHA256_LEN],
			  struct errmsg *why);
	enum err (*read)(struct resumable_commit *c, int64_t from, char *to,
			 size_t cap, size_t *got, struct errmsg *why);
	enum err (*place)(struct resumable_commit *c, struct errmsg *why);
	void (*end)(struct resumable_commit *c);
	void (*leave)(struct resumable_commit *c);
};

struct store_ops {
	const struct store_writer_ops *writer;
	const struct store_reader_ops *reader;
	const struct resumable_ops *resumable;
	const struct resumable_commit_ops *commit;
	enum err (*ready)(struct store *s, struct errmsg *why);
	void (*unlock)(struct store *s, const char *id);
	bool (*is_locked)(struct store *s, const char *id);
	enum err (*exists)(struct store *s, const char *id, struct errmsg *why);
	enum err (*remove)(struct store *s, const char *id, struct errmsg *why);
	/* NULL if objects have no paths */
	enum err (*path)(struct store *s, const char *id,
			 char out[static STORE_PATH_MAX]);
	enum err (*walk)(struct store *s, store_walk_fn *each, void *arg,
			 struct errmsg *why);
	/* NULL if there is only one */
	const char *(*method)(struct store *s);
	void (*close)(struct store *s);
};

#endif
