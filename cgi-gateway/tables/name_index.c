#include "cgi-gateway/tables/name_index.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* How many positions the file with the id `?` has. As a query of its own: from a
 * column of a row that is found by its key, MariaDB 11.8 takes no range of
 * gram_position, but reads all of it. */
#define POSITIONS "(SELECT CHAR_LENGTH(folded) FROM file WHERE id = ?)"

enum err name_index_add(struct db_conn *c, const char *id, struct errmsg *why)
{
	/* clang-format off */
	enum err e = db_tx_change(c,
		"INSERT IGNORE INTO file_gram (owner, gram, id)"
		" SELECT DISTINCT f.owner, " NAME_INDEX_GRAM ", " NAME_INDEX_ID
		"   FROM file f"
		"   JOIN gram_position n"
		"     ON n.n <= " POSITIONS
		"  WHERE f.id = ?",
		DB_IN(db_text(span_of(id)), db_text(span_of(id))), why);
	/* clang-format on */

	/* A name of accents alone has none */
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* The characters of a text in UTF-8 */
static int64_t characters(const char *text)
{
	int64_t n = 0;

	for (; *text != '\0'; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

enum err name_index_add_all(struct db_conn *c,
			    const struct name_index_item *items, size_t count,
			    struct errmsg *why)
{
	struct db_value v[1 + NAME_INDEX_TOGETHER];
	int64_t longest = 0;
	enum err e;

	static_assert(NAME_INDEX_TOGETHER == 8, "the statement lists 8 ids");
	for (size_t i = 0; i < NAME_INDEX_TOGETHER; i++) {
		const struct name_index_item *it = &items[i < count ? i : 0];
		int64_t n = characters(it->folded);

		v[1 + i] = db_text(span_of(it->id));
		longest = n > longest ? n : longest;
	}
	/* The number for MariaDB's sake, as POSITIONS. In the order of the key,
	 * so that each page is changed once. */
	v[0] = db_int(longest);
	/* clang-format off */
	e = db_tx_change(c,
		"INSERT IGNORE INTO file_gram (owner, gram, id)"
		" SELECT DISTINCT f.owner, " NAME_INDEX_GRAM " AS gram,"
		"        " NAME_INDEX_ID " AS short_id"
		"   FROM file f"
		"   JOIN gram_position n"
		"     ON n.n <= ?"
		"    AND n.n <= CHAR_LENGTH(f.folded)"
		"  WHERE f.id IN (?, ?, ?, ?, ?, ?, ?, ?)"
		"  ORDER BY f.owner, gram, short_id",
		((struct db_in) { v, 1 + NAME_INDEX_TOGETHER }), why);
	/* clang-format on */
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err name_index_remove(struct db_conn *c, const char *id,
			   struct errmsg *why)
{
	/* clang-format off */
	enum err e = db_tx_change(c,
		"DELETE g"
		"  FROM file f"
		"  JOIN gram_position n"
		"    ON n.n <= " POSITIONS
		"  JOIN file_gram g"
		"    ON g.owner = f.owner"
		"   AND g.gram = " NAME_INDEX_GRAM
		"   AND g.id = " NAME_INDEX_ID
		" WHERE f.id = ?",
		DB_IN(db_text(span_of(id)), db_text(span_of(id))), why);
	/* clang-format on */

	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* --- rows from before the index ------------------------------------------- */

struct unindexed {
	char id[UUID_LEN + 1], name[FILE_NAME_MAX + 1];
	uint64_t owner;
};

struct batch {
	struct unindexed row, rows[NAME_INDEX_BATCH];
	size_t count;
};

static enum err keep_row(void *arg)
{
	struct batch *b = arg;

	/* The index has them in the order of owners and ids, so that these are
	 * few; the next batch has them */
	if (b->count > 0 && b->rows[0].owner != b->row.owner)
		return ERR_OK;
	b->rows[b->count++] = b->row;
	return ERR_OK;
}

static enum err read_unindexed(struct db *db, struct batch *b,
			       struct errmsg *why)
{
	/* clang-format off */
	return db_each(db,
		"SELECT id, owner, name"
		"  FROM file FORCE INDEX (file_folded)"
		" WHERE folded IS NULL"
		" LIMIT ?",
		DB_IN(db_int(NAME_INDEX_BATCH)),
		DB_OUT(db_to_text(b->row.id, sizeof(b->row.id)),
		       db_to_uint(&b->row.owner),
		       db_to_text(b->row.name, sizeof(b->row.name))),
		keep_row, b, why);
	/* clang-format on */
}

/* ERR_OK also if the row was renamed or deleted since it was read */
static enum err fold_row(struct db_conn *c, const struct unindexed *row,
			 struct errmsg *why)
{
	char folded[NAME_FOLD_MAX + 1] = "";
	enum err e = name_fold(span_of(row->name), folded);

	if (e == ERR_MEMORY)
		return e;
	/* A name that is no name today (ERR_FORMAT) is found by no text */
	/* clang-format off */
	e = db_tx_change(c,
		"UPDATE file"
		"   SET folded = ?"
		" WHERE id = ?"
		"   AND BINARY name = ?"
		"   AND folded IS NULL",
		DB_IN(db_text(span_of(folded)), db_text(span_of(row->id)),
		      db_text(span_of(row->name))),
		why);
	/* clang-format on */
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* All trigrams of the rows at once and sorted, so that each page of the index
 * is changed once */
static enum err add_batch(struct db_conn *c, const struct batch *b,
			  struct errmsg *why)
{
	const struct unindexed *first = &b->rows[0], *last = first;
	enum err e;

	for (size_t i = 1; i < b->count; i++) {
		if (strcmp(b->rows[i].id, first->id) < 0)
			first = &b->rows[i];
		if (strcmp(b->rows[i].id, last->id) > 0)
			last = &b->rows[i];
	}
	/* clang-format off */
	e = db_tx_change(c,
		"INSERT IGNORE INTO file_gram (owner, gram, id)"
		" SELECT DISTINCT f.owner, " NAME_INDEX_GRAM " AS gram,"
		"        " NAME_INDEX_ID " AS short_id"
		"   FROM file f FORCE INDEX (file_owner)"
		"   JOIN gram_position n"
		"     ON n.n <= CHAR_LENGTH(f.folded)"
		"  WHERE f.owner = ?"
		"    AND f.id BETWEEN ? AND ?"
		"  ORDER BY gram, short_id",
		DB_IN(db_uint(first->owner), db_text(span_of(first->id)),
		      db_text(span_of(last->id))),
		why);
	/* clang-format on */

	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err index_batch(struct db *db, const struct batch *b,
			    struct errmsg *why)
{
	struct db_conn *c;
	enum err e = db_begin(db, &c, why);

	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < b->count && e == ERR_OK; i++)
		e = fold_row(c, &b->rows[i], why);
	if (e == ERR_OK)
		e = add_batch(c, b, why);
	if (e == ERR_OK)
		return db_commit(c, why);
	db_rollback(c);
	return e;
}

enum err name_index_rest(struct db *db, int64_t *count, struct errmsg *why)
{
	struct batch *b = calloc(1, sizeof(*b));
	enum err e;

	if (b == NULL)
		return err_set(why, ERR_MEMORY, "out of memory");
	e = read_unindexed(db, b, why);
	if (e == ERR_OK && b->count == 0)
		e = ERR_NOT_FOUND;
	if (e == ERR_OK)
		e = index_batch(db, b, why);
	if (e == ERR_OK)
		*count = (int64_t)b->count;
	free(b);
	return e;
}
