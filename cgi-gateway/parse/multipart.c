#include "cgi-gateway/parse/multipart.h"

#include "common/codec/field.h"

#include <string.h>

enum err multipart_init(struct multipart *m, struct span content_type)
{
	struct span boundary;

	m->state = MULTIPART_PREAMBLE;
	m->end_due = false;
	m->line_end_len = 0;
	m->head_len = 0;
	m->parts = 0;
	if (field_param(content_type, SPAN("boundary"), &boundary) != ERR_OK ||
	    boundary.len == 0 || boundary.len > MULTIPART_BOUNDARY_MAX ||
	    span_find(boundary, '\r') != boundary.len ||
	    span_find(boundary, '\n') != boundary.len)
		return ERR_FORMAT;
	memcpy(m->delimiter, "\r\n--", 4);
	memcpy(m->delimiter + 4, boundary.p, boundary.len);
	m->delimiter_len = boundary.len + 4;
	/* The first boundary may be at the very start, without its line end */
	m->matched = 2;
	return ERR_OK;
}

bool multipart_complete(const struct multipart *m)
{
	return m->state == MULTIPART_EPILOGUE;
}

static struct span cut_front(struct span *piece, size_t n)
{
	struct span front = { piece->p, n };

	*piece = span_from(*piece, n);
	return front;
}

/* Continue to match a delimiter. Returns true once decided: either the
 * delimiter is complete (matched == delimiter_len), or there is none (matched
 * is 0, and *wrongly has the bytes that were held back). */
static bool match_delimiter(struct multipart *m, struct span *piece,
			    struct span *wrongly)
{
	size_t n = m->matched, i = 0;

	while (i < piece->len && n < m->delimiter_len &&
	       piece->p[i] == m->delimiter[n]) {
		i++;
		n++;
	}
	*piece = span_from(*piece, i);
	m->matched = n;
	if (n == m->delimiter_len)
		return true;
	if (piece->len == 0)
		return false;
	/* A boundary has no CR, so no delimiter begins inside these bytes */
	*wrongly = (struct span) { m->delimiter, n };
	m->matched = 0;
	return true;
}

/* Whether `s`, which begins with a CR, is a delimiter as far as it goes */
static bool may_be_delimiter(const struct multipart *m, struct span s)
{
	size_t n = s.len < m->delimiter_len ? s.len : m->delimiter_len;

	return memcmp(s.p, m->delimiter, n) == 0;
}

/* Return where a delimiter is in `s`, or begins at its end; or s.len */
static size_t find_delimiter(const struct multipart *m, struct span s)
{
	const char *hit = memmem(s.p, s.len, m->delimiter, m->delimiter_len);
	size_t n;

	if (hit != NULL)
		return (size_t)(hit - s.p);
	n = s.len >= m->delimiter_len ? s.len - m->delimiter_len + 1 : 0;
	n += span_find(span_from(s, n), '\r');
	while (n < s.len && !may_be_delimiter(m, span_from(s, n)))
		n += 1 + span_find(span_from(s, n + 1), '\r');
	return n;
}

/* Take the data up to what may be a delimiter: a text whose lines end with CRLF
 * is taken as a whole, not line by line */
static struct span plain_run(struct multipart *m, struct span *piece)
{
	struct span run = cut_front(piece, find_delimiter(m, *piece));

	if (piece->len > 0) {
		*piece = span_from(*piece, 1);
		m->matched = 1;
	}
	return run;
}

/* Scan the preamble up to the first boundary, which may also follow a bare LF:
 * otherwise a part that begins so would be skipped as preamble */
static void scan_preamble(struct multipart *m, struct span *piece)
{
	while (piece->len > 0) {
		char c = cut_front(piece, 1).p[0];

		if (c == '\n')
			m->matched = 2;
		else if (m->matched >= 2 && c == m->delimiter[m->matched])
			m->matched++;
		else
			m->matched = 0;
		if (m->matched == m->delimiter_len) {
			m->state = MULTIPART_LINE_END;
			m->matched = 0;
			m->line_end_len = 0;
			return;
		}
	}
}

/* Scan bytes of a part or of the epilogue, up to a boundary */
static void scan_data(struct multipart *m, struct span *piece,
		      struct multipart_event *ev)
{
	bool body = m->state == MULTIPART_BODY;
	struct span data = { NULL, 0 };

	while (data.len == 0 && piece->len > 0) {
		if (m->matched == 0)
			data = plain_run(m, piece);
		else if (!match_delimiter(m, piece, &data))
			return; /* more input is needed */
		if (m->matched == m->delimiter_len) {
			m->state = MULTIPART_LINE_END;
			m->matched = 0;
			m->line_end_len = 0;
			m->end_due = body;
			return;
		}
		if (!body)
			data.len = 0;
	}
	if (data.len > 0) {
		ev->kind = MULTIPART_DATA;
		ev->data = data;
	}
}

/* After a boundary: "--" ends the form, CRLF (after blanks) begins a part */
static enum err read_line_end(struct multipart *m, struct span *piece)
{
	while (piece->len > 0) {
		char c = cut_front(piece, 1).p[0];

		if (m->line_end_len == 0 && (c == ' ' || c == '\t'))
			continue;
		m->line_end[m->line_end_len++] = c;
		if (m->line_end_len < sizeof(m->line_end))
			continue;
		if (memcmp(m->line_end, "--", 2) == 0)
			m->state = MULTIPART_EPILOGUE;
		else if (memcmp(m->line_end, "\r\n", 2) == 0)
			m->state = MULTIPART_HEAD;
		else
			return ERR_FORMAT;
		m->head_len = 0;
		return ERR_OK;
	}
	return ERR_OK;
}

/* Whether the empty line that ends the head was read; a part may have no header
 * lines */
static bool head_ended(const struct multipart *m)
{
	struct span head = { m->head, m->head_len };

	return span_has_suffix(head, SPAN("\r\n\r\n")) ||
	       span_eq(head, SPAN("\r\n"));
}

static enum err gather_head(struct multipart *m, struct span *piece,
			    struct multipart_event *ev)
{
	while (piece->len > 0) {
		/* Take whole lines: only a LF can end the head */
		size_t n = span_find(*piece, '\n') + 1;
		struct span line =
			cut_front(piece, n < piece->len ? n : piece->len);

		if (line.len > sizeof(m->head) - m->head_len)
			return ERR_TOO_LARGE;
		memcpy(m->head + m->head_len, line.p, line.len);
		m->head_len += line.len;
		if (head_ended(m)) {
			m->state = MULTIPART_BODY;
			m->matched = 0;
			m->parts++;
			ev->kind = MULTIPART_PART;
			return part_head_read(m->head, m->head_len, m->file,
					      &ev->part);
		}
	}
	return ERR_OK;
}

enum err multipart_next(struct multipart *m, struct span *piece,
			struct multipart_event *ev)
{
	enum err e = ERR_OK;

	*ev = (struct multipart_event) { .kind = MULTIPART_NEEDS_MORE };
	while (e == ERR_OK && ev->kind == MULTIPART_NEEDS_MORE) {
		if (m->end_due) {
			m->end_due = false;
			ev->kind = MULTIPART_END;
		} else if (piece->len == 0) {
			break;
		} else if (m->state == MULTIPART_PREAMBLE) {
			scan_preamble(m, piece);
		} else if (m->state == MULTIPART_BODY) {
			scan_data(m, piece, ev);
		} else if (m->state == MULTIPART_HEAD) {
			e = gather_head(m, piece, ev);
		} else if (m->state == MULTIPART_LINE_END) {
			e = read_line_end(m, piece);
			if (m->state == MULTIPART_EPILOGUE)
				ev->kind = MULTIPART_CLOSED;
		} else {
			/* A part after the closing boundary would be lost */
			scan_data(m, piece, ev);
			if (m->state != MULTIPART_EPILOGUE)
				e = ERR_FORMAT;
		}
	}
	return e;
}
