#include "cgi-gateway/tables/files_batch.h"

#include "cgi-gateway/tables/name_index.h"
#include "cgi-gateway/tables/outbox.h"
#include "common/base/group_commit.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

struct files_batch {
	struct db *db; /* borrowed, as the next two */
	const struct quota_limits *defaults;
	const struct webhook_targets *to;
	struct group_commit group;
	/* The server does not know SKIP LOCKED */
	atomic_bool unsupported;
};

struct item {
	struct group_member member; /* first */
	uint64_t owner;
	const struct file *f;
	char folded[NAME_FOLD_MAX + 1];
	bool alone; /* needs a transaction of its own */
	enum err e;
	struct errmsg why;
};

/* What is inserted together */
struct set {
	struct item *items[GROUP_COMMIT_MAX];
	size_t count;
};

/* --- quota ---------------------------------------------------------------- */

/* A locked row of quota, and what is added to it */
struct owner {
	uint64_t id; /* 0: no row, or locked by another transaction */
	struct usage usage;
	struct amount more;
};

struct owners {
	struct owner row, list[GROUP_COMMIT_MAX];
	size_t count;
};

static enum err keep_owner(void *arg)
{
	struct owners *o = arg;

	o->list[o->count++] = o->row;
	return ERR_OK;
}

static_assert(GROUP_COMMIT_MAX == 8, "the statements list 8 values");

/* Lock the rows of those owners whose rows nobody else has locked */
static enum err lock_owners(struct db_conn *c, const struct set *s,
			    const struct quota_limits *defaults,
			    struct owners *out, struct errmsg *why)
{
	struct db_value v[GROUP_COMMIT_MAX];
	struct usage *u = &out->row.usage;

	for (size_t i = 0; i < GROUP_COMMIT_MAX; i++)
		v[i] = db_uint(s->items[i < s->count ? i : 0]->owner);
	/* clang-format off */
	return db_tx_each(c,
		"SELECT owner, bytes, files, max_bytes, max_files"
		"  FROM quota"
		" WHERE owner IN (?, ?, ?, ?, ?, ?, ?, ?)"
		" ORDER BY owner"
		"   FOR UPDATE SKIP LOCKED",
		((struct db_in) { v, GROUP_COMMIT_MAX }),
		DB_OUT(db_to_uint(&out->row.id), db_to_int(&u->bytes),
		       db_to_int(&u->files),
		       db_to_int_or(&u->limits.bytes, defaults->bytes),
		       db_to_int_or(&u->limits.files, defaults->files)),
		keep_owner, out, why);
	/* clang-format on */
}

/* Count the file with its owner, if it fits */
static bool take(struct owners *o, const struct item *it)
{
	const struct amount more = files_amount(it->f, 1);

	for (size_t i = 0; i < o->count; i++) {
		struct owner *owner = &o->list[i];

		if (owner->id != it->owner)
			continue;
		if (usage_check_room(&owner->usage, more) != ERR_OK)
			return false;
		owner->usage.bytes += more.bytes;
		owner->usage.files += more.files;
		owner->more.bytes += more.bytes;
		owner->more.files += more.files;
		return true;
	}
	return false;
}

static enum err count_owner(struct db_conn *c, const struct owner *o,
			    struct errmsg *why)
{
	/* clang-format off */
	return db_tx_change(c,
		"UPDATE quota"
		"   SET bytes = bytes + ?, files = files + ?"
		" WHERE owner = ?",
		DB_IN(db_int(o->more.bytes), db_int(o->more.files),
		      db_uint(o->id)),
		why);
	/* clang-format on */
}

/* All rows exist and are locked, so that this inserts none */
static enum err count_owners(struct db_conn *c, const struct owners *o,
			     struct errmsg *why)
{
	struct db_value v[3 * GROUP_COMMIT_MAX];

	if (o->count == 1)
		return count_owner(c, &o->list[0], why);
	for (size_t i = 0; i < GROUP_COMMIT_MAX; i++) {
		const struct owner *one = &o->list[i < o->count ? i : 0];
		const struct amount none = { 0, 0 };
		const struct amount more = i < o->count ? one->more : none;

		v[3 * i] = db_uint(one->id);
		v[3 * i + 1] = db_int(more.bytes);
		v[3 * i + 2] = db_int(more.files);
	}
	/* clang-format off */
	return db_tx_change(c,
		"INSERT INTO quota (owner, bytes, files)"
		" VALUES (?, ?, ?), (?, ?, ?), (?, ?, ?), (?, ?, ?),"
		"        (?, ?, ?), (?, ?, ?), (?, ?, ?), (?, ?, ?)"
		" ON DUPLICATE KEY UPDATE bytes = bytes + VALUES(bytes),"
		"                         files = files + VALUES(files)",
		((struct db_in) { v, 3 * GROUP_COMMIT_MAX }), why);
	/* clang-format on */
}

/* --- rows ----------------------------------------------------------------- */

enum { COLUMNS = 11 };

static void put_values(const struct item *it, struct db_value *v)
{
	const struct file *f = it->f;

	*v++ = db_text(span_of(f->id));
	*v++ = db_uint(it->owner);
	*v++ = db_text(span_of(f->name));
	*v++ = db_text(span_of(f->type));
	*v++ = db_text(span_of(f->claimed_type));
	*v++ = db_int(f->size);
	*v++ = db_bytes((struct span) { (const char *)f->sha256, SHA256_LEN });
	*v++ = db_int(f->created_at);
	*v++ = db_int_or_null(f->expires_at, FILES_NEVER);
	*v++ = f->upload_link[0] != '\0' ? db_text(span_of(f->upload_link))
					 : db_null();
	*v = db_text(span_of(it->folded));
}

#define INSERT                                                         \
	"INSERT INTO file (id, owner, name, type, claimed_type, size," \
	"       sha256, created_at, expires_at, upload_link, folded)"  \
	" VALUES "
#define ROW "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
#define ROWS_2 ROW ", " ROW
#define ROWS_4 ROWS_2 ", " ROWS_2

/* Insert some of the files from number `from` on, and return how many in *n */
static enum err insert_some(struct db_conn *c, const struct set *s, size_t from,
			    size_t *n, struct errmsg *why)
{
	const size_t left = s->count - from;
	struct db_value v[COLUMNS * GROUP_COMMIT_MAX];
	struct db_in in = { v, 0 };

	*n = left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
	in.n = COLUMNS * *n;
	for (size_t i = 0; i < *n; i++)
		put_values(s->items[from + i], v + COLUMNS * i);
	switch (*n) {
	case 8:
		return db_tx_change(c, INSERT ROWS_4 ", " ROWS_4, in, why);
	case 4:
		return db_tx_change(c, INSERT ROWS_4, in, why);
	case 2:
		return db_tx_change(c, INSERT ROWS_2, in, why);
	default:
		return db_tx_change(c, INSERT ROW, in, why);
	}
}

static enum err insert_rows(struct db_conn *c, const struct set *s,
			    struct errmsg *why)
{
	enum err e = ERR_OK;
	size_t n = 0;

	for (size_t i = 0; i < s->count && e == ERR_OK; i += n)
		e = insert_some(c, s, i, &n, why);
	return e;
}

static enum err index_names(struct db_conn *c, const struct set *s,
			    struct errmsg *why)
{
	struct name_index_item names[GROUP_COMMIT_MAX];

	for (size_t i = 0; i < s->count; i++)
		names[i] = (struct name_index_item) { s->items[i]->f->id,
						      s->items[i]->folded };
	return name_index_add_all(c, names, s->count, why);
}

static enum err add_events(struct db_conn *c, const struct files_batch *b,
			   const struct set *s, struct errmsg *why)
{
	enum err e = ERR_OK;

	for (size_t i = 0; i < s->count && e == ERR_OK; i++) {
		const struct file *f = s->items[i]->f;

		e = outbox_add(c, b->to, EVENT_UPLOADED, span_of(f->id),
			       f->created_at, why);
	}
	return e;
}

/* --- the transaction ------------------------------------------------------ */

/* Fill `fits` with those that the transaction inserts */
static enum err fill(struct db_conn *c, struct files_batch *b,
		     const struct set *all, struct set *fits,
		     struct errmsg *why)
{
	struct owners o = { .count = 0 };
	enum err e = lock_owners(c, all, b->defaults, &o, why);

	if (e == ERR_IO)
		atomic_store(&b->unsupported, true);
	for (size_t i = 0; i < all->count && e == ERR_OK; i++)
		if (take(&o, all->items[i]))
			fits->items[fits->count++] = all->items[i];
	if (e != ERR_OK || fits->count == 0)
		return e;
	e = count_owners(c, &o, why);
	if (e == ERR_OK)
		e = insert_rows(c, fits, why);
	if (e == ERR_OK)
		e = index_names(c, fits, why);
	return e == ERR_OK ? add_events(c, b, fits, why) : e;
}

static void insert_together(struct files_batch *b, const struct set *all)
{
	struct set fits = { .count = 0 };
	struct db_conn *c;
	struct errmsg why = { "" };
	enum err e = db_begin_for_all(b->db, &c, &why);

	for (size_t i = 0; i < all->count; i++)
		all->items[i]->alone = true;
	if (e != ERR_OK)
		return;
	e = fill(c, b, all, &fits, &why);
	if (e != ERR_OK || fits.count == 0) {
		db_rollback(c);
		return;
	}
	/* If that fails, it is unknown whether the rows exist */
	e = db_commit(c, &why);
	for (size_t i = 0; i < fits.count; i++) {
		fits.items[i]->alone = false;
		fits.items[i]->e = e;
		fits.items[i]->why = why;
	}
}

static void insert_alone(struct files_batch *b, struct item *it)
{
	it->alone = false;
	it->e = files_add(b->db, NULL, it->owner, b->defaults, it->f, 1, b->to,
			  &it->why);
}

static void run(void *arg, struct group_member **members, size_t count)
{
	struct files_batch *b = arg;
	struct set all = { .count = count };

	for (size_t i = 0; i < count; i++)
		all.items[i] = (struct item *)members[i];
	if (count > 1)
		insert_together(b, &all);
	else
		insert_alone(b, (struct item *)members[0]);
}

enum err files_batch_open(struct db *db, const struct quota_limits *defaults,
			  const struct webhook_targets *to,
			  struct files_batch **out)
{
	struct files_batch *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return ERR_MEMORY;
	b->db = db;
	b->defaults = defaults;
	b->to = to;
	group_commit_init(&b->group, run, b);
	*out = b;
	return ERR_OK;
}

void files_batch_close(struct files_batch *b)
{
	if (b != NULL)
		group_commit_release(&b->group);
	free(b);
}

enum err files_batch_add(struct files_batch *b, uint64_t owner,
			 const struct file *f, struct errmsg *why)
{
	struct item it = { .owner = owner, .f = f, .alone = true };
	enum err e = name_fold(span_of(f->name), it.folded);

	if (e != ERR_OK)
		return e;
	if (atomic_load(&b->unsupported) ||
	    !group_commit_join(&b->group, &it.member))
		it.alone = true;
	if (it.alone)
		insert_alone(b, &it);
	if (it.e != ERR_OK && why != NULL)
		*why = it.why;
	return it.e;
}
