#include "common/codec/query.h"

#include "common/codec/encode.h"

enum err query_get(struct span query, struct span name, char *out, size_t cap,
		   size_t *len)
{
	struct span pair, value;

	while (span_next(&query, '&', &pair)) {
		if (!span_cut(&pair, '=', &value))
			value = (struct span) { NULL, 0 };
		if (!span_eq(pair, name))
			continue;
		if (value.len > cap)
			return ERR_TOO_LARGE;
		return percent_decode(value, true, out, len);
	}
	return ERR_NOT_FOUND;
}
