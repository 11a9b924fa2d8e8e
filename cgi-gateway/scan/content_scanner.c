#include "cgi-gateway/scan/content_scanner.h"

#include "common/base/buf.h"

/* --- settings ------------------------------------------------------------ */

static enum err open_mime_types(struct content_scanner *in, struct errmsg *why)
{
	enum err e = mime_type_open(in->magic_database, &in->mime_types, why);

	/* Who names a database wants that one */
	if (e == ERR_CONFIG && in->magic_database[0] == '\0')
		return ERR_OK;
	return e;
}

static enum err open_clamd(struct content_scanner *in, struct errmsg *why)
{
	struct span larger = span_of(in->clamd_larger);

	in->scans = in->clamd[0] != '\0';
	in->accepts_larger = span_eq(larger, SPAN("accept"));
	in->daemon.timeout = in->clamd_timeout;
	if (!in->accepts_larger && !span_eq(larger, SPAN("refuse")))
		return err_set(
			why, ERR_CONFIG,
			"CLAMD_LARGER: \"%.40s\" is not refuse or accept",
			in->clamd_larger);
	if (in->scans && clamd_address_parse(span_of(in->clamd),
					     &in->daemon.address) != ERR_OK)
		return err_set(why, ERR_CONFIG,
			       "CLAMD: \"%.120s\" is not the path of a socket, "
			       "or host:port",
			       in->clamd);
	return ERR_OK;
}

enum err content_scanner_open(struct content_scanner *in, struct errmsg *why)
{
	enum err e = open_clamd(in, why);

	return e == ERR_OK ? open_mime_types(in, why) : e;
}

void content_scanner_close(struct content_scanner *in)
{
	mime_type_close(in->mime_types);
	in->mime_types = NULL;
}

enum err content_scanner_ready(const struct content_scanner *in,
			       struct errmsg *why)
{
	return in->scans ? clamd_ping(&in->daemon, why) : ERR_OK;
}

int64_t content_scanner_limit(const struct content_scanner *in, int64_t max)
{
	if (in->scans && !in->accepts_larger && in->clamd_max < max)
		return in->clamd_max;
	return max;
}

/* --- looking ------------------------------------------------------------- */

/* The piece at `from`, or as much of it as is there */
static enum err fill(const struct content_source *src, int64_t from,
		     struct buf *piece, struct errmsg *why)
{
	int64_t left = src->size - from;
	size_t want = left < CONTENT_SCANNER_PIECE ? (size_t)left
						   : CONTENT_SCANNER_PIECE;
	size_t got = 1;
	enum err e;
	char *to;

	buf_clear(piece);
	to = buf_room(piece, CONTENT_SCANNER_PIECE);
	e = buf_error(piece);
	while (e == ERR_OK && got > 0 && piece->len < want) {
		e = src->read(src->arg, from + (int64_t)piece->len,
			      to + piece->len, want - piece->len, &got, why);
		if (e == ERR_OK)
			piece->len += got;
	}
	return e;
}

static void decide_type(const struct content_scanner *in, struct span head,
			struct file *f)
{
	char found[FILE_TYPE_MAX + 1] = "";

	if (in->mime_types != NULL)
		mime_type_of(in->mime_types, head, found);
	file_type_decide(span_of(found), span_of(f->claimed_type), f->type);
}

/* All of it, the first piece of which is in `piece` already */
static enum err send_all(const struct content_source *src,
			 struct clamd_stream *s, struct buf *piece,
			 struct errmsg *why)
{
	int64_t sent = 0;
	enum err e = ERR_OK;

	while (e == ERR_OK && sent < src->size) {
		if (sent > 0)
			e = fill(src, sent, piece, why);
		if (e == ERR_OK && piece->len == 0)
			e = err_set(why, ERR_IO, "%lld bytes of %lld are there",
				    (long long)sent, (long long)src->size);
		if (e == ERR_OK)
			e = clamd_send(s, buf_span(piece), why);
		sent += (int64_t)piece->len;
	}
	return e;
}

static enum err scan(const struct content_scanner *in,
		     const struct content_source *src, struct buf *piece,
		     char signature[static CLAMD_SIGNATURE_MAX + 1],
		     struct errmsg *why)
{
	struct clamd_stream s;
	enum err e = clamd_begin(&in->daemon, &s, why);

	if (e == ERR_OK)
		e = send_all(src, &s, piece, why);
	if (e == ERR_OK || e == ERR_CLOSED)
		e = clamd_end(&s, signature, why);
	clamd_close(&s);
	return e;
}

enum err content_scanner_scan(const struct content_scanner *in,
			      const struct content_source *src, struct file *f,
			      char signature[static CLAMD_SIGNATURE_MAX + 1],
			      struct errmsg *why)
{
	bool larger = in->scans && src->size > in->clamd_max;
	struct buf piece;
	enum err e;

	if (larger && !in->accepts_larger)
		return ERR_TOO_LARGE;
	buf_init(&piece, CONTENT_SCANNER_PIECE);
	e = fill(src, 0, &piece, why);
	if (e == ERR_OK) {
		decide_type(in, buf_span(&piece), f);
		if (in->scans && !larger)
			e = scan(in, src, &piece, signature, why);
	}
	buf_release(&piece);
	return e;
}
