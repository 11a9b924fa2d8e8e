#include "common/http/problem_page.h"

#include "common/codec/field.h"

bool problem_page_wanted(const struct request *rq)
{
	struct span mode = request_header(rq, "Sec-Fetch-Mode");
	struct span accept = request_header(rq, "Accept");

	if (mode.len > 0)
		return span_eq(mode, SPAN("navigate"));
	return field_accept_prefers(accept, SPAN("text/html"),
				    SPAN("application/problem+json")) &&
	       field_accept_prefers(accept, SPAN("text/html"),
				    SPAN("application/json"));
}

static void add_escaped(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++)
		switch (*text) {
		case '&':
			buf_add(out, SPAN("&amp;"));
			break;
		case '<':
			buf_add(out, SPAN("&lt;"));
			break;
		case '>':
			buf_add(out, SPAN("&gt;"));
			break;
		case '"':
			buf_add(out, SPAN("&quot;"));
			break;
		default:
			buf_add_char(out, *text);
		}
}

/* The root, relative to the address of the request: one level up for each slash
 * of its path but the first */
static void add_root(struct buf *out, const struct request *rq)
{
	struct span path = request_variable(rq, "REQUEST_URI"), rest;

	(void)span_cut(&path, '?', &rest);
	buf_add(out, SPAN("./"));
	for (size_t i = 1; i < path.len; i++)
		if (path.p[i] == '/')
			buf_add(out, SPAN("../"));
}

void problem_page(struct buf *out, const struct request *rq, int status,
		  const char *title, const char *detail)
{
	buf_add(out,
		SPAN("<!doctype html>\n<html lang=\"en\">\n<head>\n"
		     "<meta charset=\"utf-8\">\n"
		     "<meta name=\"viewport\" content=\"width=device-width"
		     ", initial-scale=1\">\n"
		     "<meta name=\"color-scheme\" content=\"light dark\">\n"
		     "<meta name=\"robots\" content=\"noindex\">\n"
		     "<title>"));
	add_escaped(out, title);
	buf_add(out, SPAN(" - Gatehouse</title>\n"
			  "<link rel=\"icon\" type=\"image/svg+xml\" href=\""));
	add_root(out, rq);
	buf_add(out, SPAN("favicon.svg\">\n"
			  "<link rel=\"stylesheet\" href=\""));
	add_root(out, rq);
	buf_add(out, SPAN("css/problem-page.css\">\n</head>\n<body>\n<main>\n"
			  "<h1>"));
	add_escaped(out, title);
	buf_add(out, SPAN("</h1>\n<p>"));
	add_escaped(out, detail);
	if (status == 401 || status == 405)
		buf_add(out, SPAN("</p>\n<p>This address is for programs. In a "
				  "browser, begin at the start page."));
	buf_add(out, SPAN("</p>\n<p><a href=\""));
	add_root(out, rq);
	buf_add(out, SPAN("\">Go to the start page</a></p>\n<p><small>"));
	buf_add_int(out, status);
	buf_add(out, SPAN(" \xc2\xb7 Request "));
	add_escaped(out, rq->id);
	buf_add(out, SPAN("</small></p>\n</main>\n</body>\n</html>\n"));
}
