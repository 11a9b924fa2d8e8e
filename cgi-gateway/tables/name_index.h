/* name_index.h - the index that finds the files whose names contain a text.
 *
 * `file.folded` is the form of the name that is compared (name_fold.h). The
 * table `file_gram` has a row for each three adjacent characters of it, so that
 * a search reads the files with the rarest three characters of the text, newest
 * first, and not every file of the owner.
 *
 * An upload writes as many rows as its name has different trigrams, about 19.
 * Rows of `file` from before the index have the form NULL; until they are
 * indexed, a search of their owner reads all names.
 */
#ifndef NAME_INDEX_H
#define NAME_INDEX_H

#include "cgi-gateway/parse/name_fold.h"
#include "cgi-gateway/tables/files.h"

enum {
	NAME_INDEX_BATCH = 500, /* rows indexed in one transaction */
	NAME_INDEX_TOGETHER = 8,
};

/* The id of `file` that a row of file_gram `g` has, and the reverse */
#define NAME_INDEX_FILE_ID                                             \
	"CONVERT(LOWER(CONCAT(HEX(LEFT(g.id, 4)), '-',"                \
	" HEX(SUBSTR(g.id, 5, 2)), '-', HEX(SUBSTR(g.id, 7, 2)), '-'," \
	" HEX(SUBSTR(g.id, 9, 2)), '-', HEX(SUBSTR(g.id, 11)))) USING ascii)"
#define NAME_INDEX_ID "UNHEX(REPLACE(f.id, '-', ''))"

/* The trigram of the file `f` at the position `n` of gram_position */
#define NAME_INDEX_GRAM "CAST(SUBSTR(f.folded, n.n, 3) AS BINARY)"

/* Add the file with this id, whose `folded` is set, in the caller's
 * transaction. */
enum err name_index_add(struct db_conn *c, const char *id,
			struct errmsg *why) MUST_CHECK;

/* The same, of a file whose owner and form are known: MariaDB needs three
 * quarters of the time if it need not find the trigrams of a short name. */
enum err name_index_add_row(struct db_conn *c, uint64_t owner, const char *id,
			    const char *folded, struct errmsg *why) MUST_CHECK;

/* Add at most NAME_INDEX_TOGETHER files, with the values of their columns, in
 * the caller's transaction. */
struct name_index_item {
	const char *id, *folded;
};
enum err name_index_add_all(struct db_conn *c,
			    const struct name_index_item *items, size_t count,
			    struct errmsg *why) MUST_CHECK;

/* Take the file out of the index, before its `folded` changes, in the caller's
 * transaction, which has locked its row. */
enum err name_index_remove(struct db_conn *c, const char *id,
			   struct errmsg *why) MUST_CHECK;

/* Index at most NAME_INDEX_BATCH rows of one owner that are not indexed yet;
 * `*count` is how many. ERR_NOT_FOUND if there are none. */
enum err name_index_rest(struct db *db, int64_t *count,
			 struct errmsg *why) MUST_CHECK;

/* How a search finds its rows. */
struct name_plan {
	enum {
		NAME_PLAN_GRAMS, /* files with two trigrams of the text */
		NAME_PLAN_SHORT, /* a text of one or two characters, rare */
		NAME_PLAN_WALK,	 /* every name of the owner, newest first */
	} how;
	/* of the text: its rarest trigrams; or its first and its last possible
	 * beginning. At most 4 bytes a character. */
	char first[13], second[13];
};

/* Choose the plan for a search by the form `folded`, which must not be empty,
 * among the files of `owner` before the id `below`. One statement. */
enum err name_plan_make(struct db *db, uint64_t owner, struct span folded,
			struct span below, struct name_plan *out,
			struct errmsg *why) MUST_CHECK;

#endif
