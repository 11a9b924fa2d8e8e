#include "common/http/request.h"

#include "common/codec/query.h"

#include <string.h>

struct span request_variable(const struct request *rq, const char *name)
{
	return span_of(rq->transport->ops->variable(rq->transport, name));
}

struct span request_header(const struct request *rq, const char *name)
{
	char variable[64] = "HTTP_";
	size_t n = strlen(variable);

	/* RFC 3875 4.1.18: upper case, "-" as "_" */
	for (const char *p = name; *p != '\0' && n < sizeof(variable) - 1;
	     p++) {
		char c = *p;

		if (c >= 'a' && c <= 'z')
			c = (char)(c - 'a' + 'A');
		variable[n++] = c == '-' ? '_' : c;
	}
	variable[n] = '\0';
	return request_variable(rq, variable);
}

struct span request_content_type(const struct request *rq)
{
	return request_variable(rq, "CONTENT_TYPE");
}

struct span request_authorization(const struct request *rq)
{
	struct span s = request_header(rq, "Authorization");

	/* Apache withholds the header from CGI programs. A RewriteRule can pass
	 * it; the redirect then prefixes the name. */
	return s.len > 0 ? s
			 : request_variable(rq, "REDIRECT_HTTP_AUTHORIZATION");
}

static bool is_request_id(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];

		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
		      (c >= 'a' && c <= 'z') || c == '_' || c == '-'))
			return false;
	}
	return s.len > 0 && s.len <= REQUEST_ID_MAX;
}

/* Whether the last segment of SCRIPT_NAME is the program itself */
static bool names_program(struct span script, const char *program)
{
	struct span last;

	if (!span_cut_last(&script, '/', &last) ||
	    !span_has_prefix(last, span_of(program)))
		return false;
	last = span_from(last, strlen(program));
	return last.len == 0 || span_eq(last, SPAN(".cgi")) ||
	       span_eq(last, SPAN(".fcgi"));
}

/* Join `a` and `b` in the arena: the transport frees its variables when the
 * request ends, before the log line is written */
static enum err join(struct arena *arena, struct span a, struct span b,
		     struct span *out)
{
	char *joined = arena_alloc(arena, a.len + b.len);

	if (joined == NULL)
		return ERR_MEMORY;
	if (a.len > 0)
		memcpy(joined, a.p, a.len);
	if (b.len > 0)
		memcpy(joined + a.len, b.p, b.len);
	*out = (struct span) { joined, a.len + b.len };
	return ERR_OK;
}

/* lighttpd does not split the path for an authorizer: it is SCRIPT_FILENAME
 * after DOCUMENT_ROOT, and begins with the program's name as in a URL. Another
 * path is not one of ours. */
static struct span authorized_path(const struct request *rq,
				   const char *program)
{
	struct span root = request_variable(rq, "DOCUMENT_ROOT");
	struct span path = request_variable(rq, "SCRIPT_FILENAME");

	if (!span_has_prefix(path, root))
		return SPAN("");
	path = span_from(path, root.len);
	if (!span_has_prefix(path, SPAN("/")) ||
	    !span_has_prefix(span_from(path, 1), span_of(program)))
		return SPAN("");
	return span_from(path, 1 + strlen(program));
}

static enum err find_path(struct request *rq, const char *program)
{
	struct span script = request_variable(rq, "SCRIPT_NAME");
	struct span info = request_variable(rq, "PATH_INFO");
	enum err e;

	if (rq->authorizer && script.len + info.len == 0)
		info = authorized_path(rq, program);

	if (names_program(script, program)) {
		/* A rewritten URL does not contain the name of the program, so
		 * the URLs in responses must not either */
		if (span_has_prefix(request_variable(rq, "REQUEST_URI"),
				    script))
			rq->prefix = script;
		script.len = 0;
	}
	if (script.len + info.len > REQUEST_PATH_MAX)
		return ERR_FORMAT;
	e = join(rq->arena, script, info, &rq->path);
	if (e == ERR_OK && rq->path.len == 0)
		rq->path = SPAN("/");
	if (e == ERR_OK && rq->path.p[0] != '/')
		e = ERR_FORMAT;
	return e;
}

/* Read what the program, as an authorizer, passed to itself. No client can set
 * these variables: its headers become HTTP_*. */
static void read_admission(struct request *rq)
{
	struct span id = request_variable(rq, "ADMISSION_REQUEST_ID");
	struct span held = request_variable(rq, "ADMISSION");
	int64_t at = 0;

	if (!span_to_int(request_variable(rq, "ADMITTED_AT"), &at) || at <= 0)
		return;
	rq->admitted_at = at < rq->now ? at : rq->now;
	if (ident_is_random(held))
		(void)span_to_cstr(held, rq->admission, sizeof(rq->admission));
	if (is_request_id(id))
		(void)span_to_cstr(id, rq->id, sizeof(rq->id));
}

/* A server that asks in its own way may have to ask with another method */
static struct span method_of(const struct request *rq)
{
	struct span asked = request_variable(rq, "ADMISSION_METHOD");

	return asked.len > 0 && request_variable(rq, "ADMISSION_ONLY").len > 0
		       ? asked
		       : request_variable(rq, "REQUEST_METHOD");
}

static enum err read_length(struct request *rq)
{
	struct span length = request_variable(rq, "CONTENT_LENGTH");

	/* An authorizer gets the header only. The server sets BODY_LENGTH where
	 * there is none, because a header of another spelling ("Content.Length")
	 * becomes the same variable. */
	if (rq->authorizer &&
	    rq->transport->ops->count(rq->transport, "HTTP_CONTENT_LENGTH") > 1)
		return ERR_FORMAT;
	if (rq->authorizer &&
	    !span_eq(request_variable(rq, "BODY_LENGTH"), SPAN("unknown")))
		length = request_header(rq, "Content-Length");
	if (length.len > 0 && !span_to_int(length, &rq->content_length))
		return ERR_FORMAT;
	return ERR_OK;
}

enum err request_init(struct request *rq, struct transport *t,
		      struct arena *arena, const char *program, int64_t now_ms)
{
	struct span id, only;
	enum err e;

	*rq = (struct request) {
		.transport = t,
		.arena = arena,
		.now_ms = now_ms,
		.now = now_ms / 1000,
		.content_length = REQUEST_LENGTH_UNKNOWN,
		.route = -1,
	};
	id = request_header(rq, "X-Request-ID");
	if (!is_request_id(id) || !span_to_cstr(id, rq->id, sizeof(rq->id)))
		ident_random(rq->id);
	e = join(arena, method_of(rq), SPAN(""), &rq->method);
	rq->head = span_eq(rq->method, SPAN("HEAD"));
	only = request_variable(rq, "ADMISSION_ONLY");
	rq->authorizer =
		only.len > 0 ||
		span_eq(request_variable(rq, "FCGI_ROLE"), SPAN("AUTHORIZER"));
	rq->status_only = span_eq(only, SPAN("status"));
	if (!rq->authorizer)
		read_admission(rq);
	rq->query = request_variable(rq, "QUERY_STRING");
	/* Several spellings: it is unknown which one the proxy has set */
	if (t->ops->count(t, "HTTP_X_FORWARDED_FOR") > 1)
		return ERR_FORMAT;
	if (e == ERR_OK)
		e = read_length(rq);
	return e == ERR_OK ? find_path(rq, program) : e;
}

enum err request_query(const struct request *rq, const char *name,
		       struct span *out)
{
	char *value = arena_alloc(rq->arena, QUERY_VALUE_MAX);
	size_t len;
	enum err e;

	if (value == NULL)
		return ERR_MEMORY;
	e = query_get(rq->query, span_of(name), value, QUERY_VALUE_MAX, &len);
	if (e == ERR_OK)
		*out = (struct span) { value, len };
	return e == ERR_TOO_LARGE ? ERR_FORMAT : e;
}

enum err request_read(struct request *rq, struct span *out)
{
	struct span chunk;
	enum err e = body_pace_begin(&rq->pace);

	if (e == ERR_OK)
		e = rq->transport->ops->read(rq->transport, &chunk);
	if (e != ERR_OK)
		return e;
	body_pace_end(&rq->pace, chunk.len);
	if (chunk.len == 0 && rq->content_length > rq->body_read)
		return ERR_TRUNCATED;
	rq->body_read += (int64_t)chunk.len;
	*out = chunk;
	return ERR_OK;
}

int64_t request_time(const struct request *rq)
{
	return rq->clock != NULL ? rq->clock() : rq->now;
}

int64_t request_begun(const struct request *rq)
{
	return rq->admitted_at > 0 ? rq->admitted_at : rq->now;
}

bool request_ready(const struct request *rq)
{
	return rq->transport->ops->ready(rq->transport, 0);
}

bool request_ready_within(const struct request *rq, int ms)
{
	return rq->transport->ops->ready(rq->transport, ms);
}

enum err request_read_all(struct request *rq, size_t max, struct span *out)
{
	struct span chunk;
	size_t n = 0;
	char *all;
	enum err e;

	if (rq->content_length > (int64_t)max)
		return ERR_TOO_LARGE;
	all = arena_alloc(rq->arena, max);
	if (all == NULL)
		return ERR_MEMORY;
	while ((e = request_read(rq, &chunk)) == ERR_OK && chunk.len > 0) {
		if (chunk.len > max - n)
			return ERR_TOO_LARGE;
		memcpy(all + n, chunk.p, chunk.len);
		n += chunk.len;
	}
	if (e == ERR_OK)
		*out = (struct span) { all, n };
	/* Such a short body is no upload, and its user may be unknown: then
	 * others have the places */
	return e == ERR_TOO_MANY_UPLOADS ? ERR_OVERLOADED : e;
}
