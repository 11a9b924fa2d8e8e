/* listing.h - rows, as a table for a person or as a JSON array.
 *
 *	struct listing l = { .json = json, .columns = columns };
 *
 *	listing_begin(&l);
 *	for each row:
 *		if (l.json) listing_object(&l, object);
 *		else listing_cell(&l, text) for each column
 *	listing_end(&l, "No sessions.");
 *
 * Each row is printed at once, the heading before the first one.
 */
#ifndef LISTING_H
#define LISTING_H

#include "common/base/err.h"
#include "common/codec/json.h"

struct listing_column {
	const char *title; /* NULL: after the last column */
	int width;	   /* not used for the last column */
};

struct listing {
	bool json;
	const struct listing_column *columns;
	/* kept by the functions below */
	size_t rows, cell;
};

void listing_begin(struct listing *l);

/* Print and release `o`. ERR_MEMORY if it is NULL. */
enum err listing_object(struct listing *l, struct json_object *o) MUST_CHECK;

/* Print the next cell of a row, by output_text(). */
void listing_cell(struct listing *l, const char *text);

/* Print `t` as RFC 3339, or `otherwise` instead if it equals `absent`. */
void listing_time(struct listing *l, int64_t t, int64_t absent,
		  const char *otherwise);

/* End the listing; a table without rows prints `none`. */
void listing_end(struct listing *l, const char *none);

#endif
