#include "common/http/router.h"

struct span route_path(const struct route *route, struct span *parameters)
{
	struct span path = span_of(route->pattern);

	*parameters = (struct span) { NULL, 0 };
	(void)span_cut(&path, '?', parameters);
	return path;
}

static struct span path_of(const struct route *route)
{
	struct span parameters;

	return route_path(route, &parameters);
}

/* Match a path: a "*" in the middle of a pattern matches a segment, one at its
 * end the rest */
static bool matches(const struct route *route, struct span path,
		    struct span *tail)
{
	struct span literal = path_of(route), after;
	struct span taken = { NULL, 0 };

	while (span_cut(&literal, '*', &after)) {
		size_t n;

		if (!span_has_prefix(path, literal))
			return false;
		path = span_from(path, literal.len);
		n = after.len > 0 ? span_find(path, '/') : path.len;
		if (n == 0)
			return false;
		if (taken.p == NULL)
			taken = path;
		path = span_from(path, n);
		taken.len = (size_t)(path.p - taken.p);
		literal = after;
	}
	if (!span_eq(path, literal))
		return false;
	if (taken.p != NULL)
		*tail = taken;
	return true;
}

/* Return the pattern that the path matches; empty if there is none */
static struct span pattern_of(const struct router *r, struct span path,
			      struct span *tail)
{
	for (size_t i = 0; i < r->count; i++)
		if (matches(&r->routes[i], path, tail))
			return path_of(&r->routes[i]);
	return SPAN("");
}

void router_drop_slash(const struct router *r, struct request *rq)
{
	struct span shorter = rq->path, tail;

	if (shorter.len < 2 || shorter.p[shorter.len - 1] != '/')
		return;
	shorter.len--;
	if (span_eq(rq->method, SPAN("PUT")) &&
	    pattern_of(r, rq->path, &tail).len > 0)
		return;
	if (pattern_of(r, shorter, &tail).len > 0)
		rq->path = shorter;
}

int router_index(const struct router *r, const struct request *rq)
{
	struct span tail;

	for (size_t i = 0; rq->route < 0 && i < r->count; i++)
		if (matches(&r->routes[i], rq->path, &tail))
			return (int)i;
	return rq->route;
}

bool router_serves(const struct router *r, const struct request *rq,
		   bool internal)
{
	int i = router_index(r, rq);

	if (i < 0)
		return false;
	if (r->routes[i].session & INTERNAL_TOO)
		return true;
	return ((r->routes[i].session & INTERNAL_ONLY) != 0) == internal;
}

void router_methods(const struct router *r, const struct request *rq,
		    struct buf *out)
{
	struct span tail, pattern = pattern_of(r, rq->path, &tail);

	for (size_t i = 0; i < r->count; i++) {
		const struct route *route = &r->routes[i];

		if (!span_eq(path_of(route), pattern))
			continue;
		if (out->len > 0)
			buf_add(out, SPAN(", "));
		buf_add_str(out, route->method);
		if (span_eq(span_of(route->method), SPAN("GET")))
			buf_add(out, SPAN(", HEAD"));
	}
}

enum err router_find(const struct router *r, struct request *rq,
		     struct response *rs, const struct route **out)
{
	struct span method = rq->head ? SPAN("GET") : rq->method;
	struct span tail = rq->param;
	struct span pattern = pattern_of(r, rq->path, &tail);
	struct buf allow;

	for (size_t i = 0; i < r->count; i++) {
		const struct route *route = &r->routes[i];

		if (span_eq(method, span_of(route->method)) &&
		    span_eq(path_of(route), pattern)) {
			rq->param = tail;
			rq->route = (int)i;
			*out = route;
			return ERR_OK;
		}
	}
	buf_init(&allow, 256);
	router_methods(r, rq, &allow);
	if (allow.len == 0)
		return ERR_NOT_FOUND;
	response_header(rs, "Allow", buf_span(&allow));
	response_keep(rs);
	buf_release(&allow);
	return ERR_METHOD;
}
