#include "fcgi-probe/wire.h"

#include <string.h>

enum {
	VERSION = 1,
	BEGIN = 1, /* types of records, 8: FCGI_BEGIN_REQUEST and so on */
	END = 3,
	PARAMS = 4,
	STDIN = 5,
	STDOUT = 6,
	RESPONDER = 1,
	REQUEST_ID = 1,
	END_LEN = 8,	    /* bytes of an END record's content, 5.5 */
	END_PROTOCOL = 4,   /* where protocolStatus stands in it */
	SHORT_LENGTH = 128, /* 3.4: a shorter name or value has a length of one
			       byte */
};

static void add_byte(struct buf *out, size_t value)
{
	buf_add_char(out, (char)(unsigned char)(value & 0xff));
}

static void add_head(struct buf *out, unsigned type, size_t content)
{
	add_byte(out, VERSION);
	add_byte(out, type);
	add_byte(out, REQUEST_ID >> 8);
	add_byte(out, REQUEST_ID);
	add_byte(out, content >> 8);
	add_byte(out, content);
	add_byte(out, 0); /* padding */
	add_byte(out, 0);
}

static void add_length(struct buf *out, size_t n)
{
	if (n >= SHORT_LENGTH) {
		add_byte(out, (n >> 24) | SHORT_LENGTH);
		add_byte(out, n >> 16);
		add_byte(out, n >> 8);
	}
	add_byte(out, n);
}

static size_t length_size(size_t n)
{
	return n < SHORT_LENGTH ? 1 : 4;
}

static void add_params(const struct wire_param *params, size_t count,
		       struct buf *out)
{
	for (size_t i = 0; i < count; i++) {
		add_length(out, params[i].name.len);
		add_length(out, params[i].value.len);
		buf_add(out, params[i].name);
		buf_add(out, params[i].value);
	}
}

enum err wire_request(const struct wire_param *params, size_t count,
		      struct buf *out)
{
	static const char begin[END_LEN] = { 0, RESPONDER };
	size_t total = 0;

	for (size_t i = 0; i < count; i++) {
		size_t n = params[i].name.len, v = params[i].value.len;

		if (n > WIRE_CONTENT_MAX || v > WIRE_CONTENT_MAX)
			return ERR_TOO_LARGE;
		total += length_size(n) + length_size(v) + n + v;
		if (total > WIRE_CONTENT_MAX)
			return ERR_TOO_LARGE;
	}
	add_head(out, BEGIN, sizeof(begin));
	buf_add(out, (struct span) { begin, sizeof(begin) });
	add_head(out, PARAMS, total);
	add_params(params, count, out);
	/* an empty record ends a stream */
	if (total > 0)
		add_head(out, PARAMS, 0);
	add_head(out, STDIN, 0);
	return buf_error(out);
}

void wire_reader_init(struct wire_reader *r)
{
	*r = (struct wire_reader) { .head_len = 0 };
}

static struct span take(struct span *piece, size_t most)
{
	struct span taken = *piece;

	if (taken.len > most)
		taken.len = most;
	*piece = span_from(*piece, taken.len);
	return taken;
}

static void keep(unsigned char *to, size_t *len, struct span bytes)
{
	if (bytes.len > 0)
		memcpy(to + *len, bytes.p, bytes.len);
	*len += bytes.len;
}

/* Both numbers of a head are in network order */
static enum err begin_record(struct wire_reader *r)
{
	const unsigned char *h = r->head;
	unsigned id = (unsigned)h[2] << 8 | h[3];

	/* 0 is for records about the connection itself (3.3) */
	if (h[0] != VERSION || (id != REQUEST_ID && id != 0))
		return ERR_FORMAT;
	r->content = (size_t)h[4] << 8 | h[5];
	r->padding = h[6];
	r->end_len = 0;
	if (h[1] == END && (id != REQUEST_ID || r->content != END_LEN))
		return ERR_FORMAT;
	return ERR_OK;
}

/* Some of the record's content; true if it is an event by itself */
static bool take_content(struct wire_reader *r, struct span *piece,
			 struct wire_event *ev)
{
	struct span bytes = take(piece, r->content);

	r->content -= bytes.len;
	if (r->head[1] == END)
		keep(r->end, &r->end_len, bytes);
	if (r->head[1] != STDOUT || bytes.len == 0)
		return false;
	*ev = (struct wire_event) { .kind = WIRE_OUTPUT, .data = bytes };
	return true;
}

enum err wire_next(struct wire_reader *r, struct span *piece,
		   struct wire_event *ev)
{
	for (;;) {
		if (r->head_len < WIRE_HEAD) {
			keep(r->head, &r->head_len,
			     take(piece, WIRE_HEAD - r->head_len));
			if (r->head_len < WIRE_HEAD)
				break;
			if (begin_record(r) != ERR_OK)
				return ERR_FORMAT;
		}
		if (take_content(r, piece, ev))
			return ERR_OK;
		if (r->content > 0)
			break;
		r->padding -= take(piece, r->padding).len;
		if (r->padding > 0)
			break;
		r->head_len = 0;
		if (r->head[1] == END) {
			*ev = (struct wire_event) {
				.kind = WIRE_END,
				.refusal = r->end[END_PROTOCOL],
			};
			return ERR_OK;
		}
	}
	*ev = (struct wire_event) { .kind = WIRE_HUNGRY };
	return ERR_OK;
}
