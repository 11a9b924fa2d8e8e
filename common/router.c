#include "router.h"

static bool matches(const struct route *route, struct span path,
		    struct span *tail)
{
	struct span pattern = span_of(route->pattern);

	if (!span_has_suffix(pattern, SPAN("*")))
		return span_eq(path, pattern);
	pattern.len--;
	if (path.len <= pattern.len || !span_has_prefix(path, pattern))
		return false;
	*tail = span_from(path, pattern.len);
	return true;
}

int router_place(const struct router *r, const struct request *rq)
{
	struct span tail;

	for (size_t i = 0; rq->route < 0 && i < r->count; i++)
		if (matches(&r->routes[i], rq->path, &tail))
			return (int)i;
	return rq->route;
}

void router_methods(const struct router *r, const struct request *rq,
		    struct buf *out)
{
	struct span tail;

	for (size_t i = 0; i < r->count; i++) {
		const struct route *route = &r->routes[i];

		if (!matches(route, rq->path, &tail))
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
	struct buf allow;

	for (size_t i = 0; i < r->count; i++) {
		const struct route *route = &r->routes[i];

		if (span_eq(method, span_of(route->method)) &&
		    matches(route, rq->path, &rq->tail)) {
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
