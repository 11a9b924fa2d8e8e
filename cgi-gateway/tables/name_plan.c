/* Choosing how to search: see name_index.h. */
#include "cgi-gateway/tables/name_index.h"

#include <string.h>

enum {
	GRAMS = 8, /* trigrams of a text that are compared */
	/* Rows of a trigram that are read to judge how rare it is */
	SAMPLE = 1000,
	/* Rows that a search for a short text may sort. If there are more, a
	 * walk finds a page of them as soon */
	SHORT_MAX = 5000,
	HEX_ID_LEN = 32,
};

/* Return the byte after the character at `at` */
static size_t next_char(struct span s, size_t at)
{
	for (at++; at < s.len && ((unsigned char)s.p[at] & 0xc0) == 0x80;)
		at++;
	return at;
}

static size_t chars_of(struct span s)
{
	size_t n = 0;

	for (size_t at = 0; at < s.len; at = next_char(s, at))
		n++;
	return n;
}

/* The three characters from character number `n` on */
static struct span gram_at(struct span s, size_t n)
{
	size_t at = 0, end;

	while (n-- > 0)
		at = next_char(s, at);
	end = next_char(s, next_char(s, next_char(s, at)));
	return (struct span) { s.p + at, end - at };
}

static void copy(struct span s, char out[static 13])
{
	memcpy(out, s.p, s.len);
	out[s.len] = '\0';
}

/* How far the rows of a trigram are spread, from both ends of the list: the id of
 * its thousandth newest row and of its thousandth oldest, in hex; "" if it has
 * fewer rows */
struct sample {
	char newest[HEX_ID_LEN + 1], oldest[HEX_ID_LEN + 1];
};

/* The time of an id (RFC 9562 5.7), in milliseconds */
static int64_t time_of(const char *hex)
{
	int64_t n = 0;

	for (size_t i = 0; i < 12 && hex[i] != '\0'; i++)
		n = n * 16 + (hex[i] <= '9' ? hex[i] - '0' : hex[i] - 'A' + 10);
	return n;
}

/* Whether the first one is of a rarer trigram: the rarer, the further samples
 * reach towards the other end. One end alone would not tell, because names of
 * one time are often alike. */
static bool is_rarer(const struct sample *a, const struct sample *b)
{
	int64_t wide = time_of(a->oldest) - time_of(a->newest);
	int64_t other = time_of(b->oldest) - time_of(b->newest);

	if (a->newest[0] != '\0' && b->newest[0] != '\0' && wide != other)
		return wide > other;
	return strcmp(a->newest, b->newest) < 0;
}

/* The two rarest trigrams */
static void choose(const struct span *grams, size_t count,
		   const struct sample *samples, struct name_plan *out)
{
	size_t first = 0, second = count > 1 ? 1 : 0;

	if (is_rarer(&samples[second], &samples[first])) {
		first = 1;
		second = 0;
	}
	for (size_t i = 2; i < count; i++) {
		if (is_rarer(&samples[i], &samples[first])) {
			second = first;
			first = i;
		} else if (is_rarer(&samples[i], &samples[second])) {
			second = i;
		}
	}
	out->how = NAME_PLAN_GRAMS;
	copy(grams[first], out->first);
	copy(grams[second], out->second);
}

/* clang-format off */
#define UNINDEXED \
	"EXISTS (SELECT 1" \
	"          FROM file" \
	"         WHERE folded IS NULL" \
	"           AND owner = ?)"
#define SAMPLE_FROM(order) \
	"(SELECT HEX(id)" \
	"   FROM file_gram" \
	"  WHERE owner = ?" \
	"    AND gram = ?" \
	"    AND id < UNHEX(?)" \
	"  ORDER BY id " order \
	"  LIMIT 999, 1)"
#define SAMPLE_OF_GRAM SAMPLE_FROM("DESC") ", " SAMPLE_FROM("ASC")
/* clang-format on */

_Static_assert(SAMPLE == 1000, "LIMIT 999, 1");

/* Without hyphens, as UNHEX() takes it */
static void hex_id(struct span id, char out[static HEX_ID_LEN + 1])
{
	size_t n = 0;

	for (size_t i = 0; i < id.len && n < HEX_ID_LEN; i++)
		if (id.p[i] != '-')
			out[n++] = id.p[i];
	out[n] = '\0';
}

static enum err plan_long(struct db *db, uint64_t owner, struct span folded,
			  struct span below, struct name_plan *out,
			  struct errmsg *why)
{
	size_t total = chars_of(folded) - 2;
	size_t count = total < GRAMS ? total : GRAMS;
	char hex[HEX_ID_LEN + 1];
	struct sample samples[GRAMS];
	struct span grams[GRAMS];
	int64_t unindexed = 0;
	enum err e;

	/* Spread over the text. No row has the empty one */
	for (size_t i = 0; i < GRAMS; i++)
		grams[i] = i >= count	? SPAN("")
			   : count == 1 ? gram_at(folded, 0)
					: gram_at(folded, i * (total - 1) /
								  (count - 1));
	hex_id(below, hex);
#define END_VALUES(i) db_uint(owner), db_bytes(grams[i]), db_text(span_of(hex))
#define GRAM_VALUES(i) END_VALUES(i), END_VALUES(i)
#define SAMPLE_FIELD(i)                                           \
	db_to_text(samples[i].newest, sizeof(samples[i].newest)), \
		db_to_text(samples[i].oldest, sizeof(samples[i].oldest))
	/* clang-format off */
	e = db_row(db,
		"SELECT " UNINDEXED ", "
		SAMPLE_OF_GRAM ", " SAMPLE_OF_GRAM ", " SAMPLE_OF_GRAM ", "
		SAMPLE_OF_GRAM ", " SAMPLE_OF_GRAM ", " SAMPLE_OF_GRAM ", "
		SAMPLE_OF_GRAM ", " SAMPLE_OF_GRAM,
		DB_IN(db_uint(owner), GRAM_VALUES(0), GRAM_VALUES(1),
		      GRAM_VALUES(2), GRAM_VALUES(3), GRAM_VALUES(4),
		      GRAM_VALUES(5), GRAM_VALUES(6), GRAM_VALUES(7)),
		DB_OUT(db_to_int(&unindexed), SAMPLE_FIELD(0), SAMPLE_FIELD(1),
		       SAMPLE_FIELD(2), SAMPLE_FIELD(3), SAMPLE_FIELD(4),
		       SAMPLE_FIELD(5), SAMPLE_FIELD(6), SAMPLE_FIELD(7)),
		why);
	/* clang-format on */
	if (e == ERR_OK && unindexed != 0)
		out->how = NAME_PLAN_WALK;
	else if (e == ERR_OK)
		choose(grams, count, samples, out);
	return e;
}

/* Texts of one or two characters are the beginning of many trigrams */
static enum err plan_short(struct db *db, uint64_t owner, struct span folded,
			   struct name_plan *out, struct errmsg *why)
{
	int64_t unindexed = 0, found = 0;
	enum err e;

	copy(folded, out->first);
	copy(folded, out->second);
	/* No character of UTF-8 begins with this byte */
	out->second[folded.len] = '\xff';
	out->second[folded.len + 1] = '\0';
	/* clang-format off */
	e = db_row(db,
		"SELECT " UNINDEXED ","
		"       (SELECT COUNT(*)"
		"          FROM (SELECT 1"
		"                  FROM file_gram"
		"                 WHERE owner = ?"
		"                   AND gram >= ?"
		"                   AND gram < ?"
		"                 LIMIT ?) sample)",
		DB_IN(db_uint(owner), db_uint(owner),
		      db_bytes(span_of(out->first)),
		      db_bytes(span_of(out->second)), db_int(SHORT_MAX)),
		DB_OUT(db_to_int(&unindexed), db_to_int(&found)), why);
	/* clang-format on */
	out->how = unindexed == 0 && found < SHORT_MAX ? NAME_PLAN_SHORT
						       : NAME_PLAN_WALK;
	return e;
}

enum err name_plan_make(struct db *db, uint64_t owner, struct span folded,
			struct span below, struct name_plan *out,
			struct errmsg *why)
{
	struct name_plan plan;
	enum err e = chars_of(folded) < 3
			     ? plan_short(db, owner, folded, &plan, why)
			     : plan_long(db, owner, folded, below, &plan, why);

	if (e == ERR_OK)
		*out = plan;
	return e;
}
