#include "cgi-gateway/tables/name_index.h"
#include "common/codec/encode.h"

#include <assert.h>
#include <string.h>

enum { GRAMS_MAX = 32, ID_BYTES = 16 };

static_assert(3 * GRAMS_MAX <= DB_PARAMETERS_MAX, "three values a row");

struct grams {
	struct span list[GRAMS_MAX]; /* of the form, sorted, each once */
	size_t count;
};

/* The position after the character at `p` */
static const char *after_character(const char *p)
{
	if (*p != '\0')
		p++;
	while (((unsigned char)*p & 0xc0) == 0x80)
		p++;
	return p;
}

static int compare(struct span a, struct span b)
{
	int order = memcmp(a.p, b.p, a.len < b.len ? a.len : b.len);

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* Return false if there is no place for one more */
static bool insert_gram(struct grams *g, struct span gram)
{
	size_t at = g->count;
	int order = -1;

	while (at > 0 && (order = compare(g->list[at - 1], gram)) > 0)
		at--;
	if (at > 0 && order == 0)
		return true;
	if (g->count == GRAMS_MAX)
		return false;
	memmove(&g->list[at + 1], &g->list[at],
		(g->count - at) * sizeof(g->list[0]));
	g->list[at] = gram;
	g->count++;
	return true;
}

/* Find what NAME_INDEX_GRAM is at each position. Returns false if these are too
 * many. */
static bool find_grams(const char *folded, struct grams *out)
{
	out->count = 0;
	for (const char *p = folded; *p != '\0'; p = after_character(p)) {
		const char *end = after_character(after_character(p));

		end = after_character(end);
		if (!insert_gram(out, (struct span) { p, (size_t)(end - p) }))
			return false;
	}
	return true;
}

/* What NAME_INDEX_ID is */
static bool find_short_id(const char *id, char out[static ID_BYTES])
{
	char hex[2 * ID_BYTES];
	size_t n = 0;

	for (; *id != '\0' && n < sizeof(hex); id++)
		if (*id != '-')
			hex[n++] = *id;
	return hex_decode((struct span) { hex, n }, out, ID_BYTES, &n) ==
		       ERR_OK &&
	       n == ID_BYTES;
}

#define ROWS_4 "(?, ?, ?), (?, ?, ?), (?, ?, ?), (?, ?, ?)"
#define ROWS_16 ROWS_4 ", " ROWS_4 ", " ROWS_4 ", " ROWS_4

/* The last one again in the rows that are left over, for one statement of each
 * size: IGNORE */
static enum err insert_grams(struct db_conn *c, uint64_t owner,
			     const struct grams *g,
			     const char id[static ID_BYTES], struct errmsg *why)
{
	const size_t rows =
		g->count <= GRAMS_MAX / 2 ? GRAMS_MAX / 2 : GRAMS_MAX;
	struct db_value v[3 * GRAMS_MAX];
	const struct db_in in = { v, 3 * rows };

	for (size_t i = 0; i < rows; i++) {
		size_t at = i < g->count ? i : g->count - 1;

		v[3 * i] = db_uint(owner);
		v[3 * i + 1] = db_bytes(g->list[at]);
		v[3 * i + 2] = db_bytes((struct span) { id, ID_BYTES });
	}
	return rows == GRAMS_MAX ? db_tx_change(c,
						"INSERT IGNORE INTO file_gram"
						"       (owner, gram, id)"
						" VALUES " ROWS_16 ", " ROWS_16,
						in, why)
				 : db_tx_change(c,
						"INSERT IGNORE INTO file_gram"
						"       (owner, gram, id)"
						" VALUES " ROWS_16,
						in, why);
}

enum err name_index_add_row(struct db_conn *c, uint64_t owner, const char *id,
			    const char *folded, struct errmsg *why)
{
	char short_id[ID_BYTES];
	struct grams g;
	enum err e;

	if (!find_grams(folded, &g) || !find_short_id(id, short_id))
		return name_index_add(c, id, why);
	if (g.count == 0)
		return ERR_OK;
	e = insert_grams(c, owner, &g, short_id, why);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}
