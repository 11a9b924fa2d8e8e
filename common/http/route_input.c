#include "common/http/route_input.h"

#include "common/codec/encode.h"
#include "common/http/body.h"

enum {
	SHOWN_MAX = 40, /* bytes of a parameter's name in an error */
	LIST_MAX = 160, /* bytes of the list of all names */
};

static bool has_word(struct span list, struct span word)
{
	struct span item;

	while (span_next(&list, '&', &item))
		if (span_eq(item, word))
			return true;
	return false;
}

/* Take the next parameter off the front of *query: its name, not decoded, as
 * query_get() compares it. Returns false at the end. */
static bool next_name(struct span *query, struct span *name)
{
	struct span value;

	do {
		if (!span_next(query, '&', name))
			return false;
		(void)span_cut(name, '=', &value);
	} while (name->len == 0);
	return true;
}

static bool occurs_again(struct span rest, struct span name)
{
	struct span other;

	while (next_name(&rest, &other))
		if (span_eq(other, name))
			return true;
	return false;
}

/* Write "a, b" for "a&b", or "none". */
static void write_list(char out[LIST_MAX], struct span known)
{
	struct span name;
	size_t n = (size_t)snprintf(out, LIST_MAX, "%s",
				    known.len > 0 ? "" : "none");

	for (bool first = true; n < LIST_MAX && span_next(&known, '&', &name);
	     first = false)
		n += (size_t)snprintf(out + n, LIST_MAX - n, "%s%.*s",
				      first ? "" : ", ", SPAN_ARG(name));
}

static enum err refuse_unknown(struct response *rs, struct span name,
			       struct span known)
{
	struct span shown = utf8_clip(name, SHOWN_MAX);
	char list[LIST_MAX];

	write_list(list, known);
	if (!utf8_valid(shown) || span_has_control(shown))
		shown = SPAN("(binary)");
	return response_explain(rs, ERR_INVALID,
				"?%.*s= is not a query parameter that this "
				"request takes; it takes: %s.",
				SPAN_ARG(shown), list);
}

static enum err check_query(struct span query, struct span known,
			    struct response *rs)
{
	struct span name;

	if (span_eq(known, SPAN("*")))
		return ERR_OK;
	while (next_name(&query, &name)) {
		if (!has_word(known, name))
			return refuse_unknown(rs, name, known);
		if (occurs_again(query, name))
			return response_explain(rs, ERR_INVALID,
						"?%.*s= occurs twice; send it "
						"once.",
						SPAN_ARG(name));
	}
	return ERR_OK;
}

enum err route_input_check(const struct route *route, struct request *rq,
			   struct response *rs)
{
	struct span known;
	enum err e;

	if (rq->head || span_eq(rq->method, SPAN("GET")))
		return ERR_OK;
	(void)route_path(route, &known);
	e = check_query(rq->query, known, rs);
	if (e != ERR_OK || (route->session & TAKES_BODY))
		return e;
	return body_unused(rq, rs);
}
