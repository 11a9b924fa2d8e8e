#include "cgi-gateway/scan/content_scanner.h"

#include "common/base/buf.h"
#include "common/base/worker_wait.h"

/* --- settings ------------------------------------------------------------- */

static enum err open_clamd(struct content_scanner *s, struct errmsg *why)
{
	struct span larger = span_of(s->clamd_larger);

	s->scans = s->clamd[0] != '\0';
	s->accepts_larger = span_eq(larger, SPAN("accept"));
	s->daemon.timeout = s->clamd_timeout;
	if (!s->accepts_larger && !span_eq(larger, SPAN("refuse")))
		return err_set(
			why, ERR_CONFIG,
			"CLAMD_LARGER: must be refuse or accept, not \"%.40s\"",
			s->clamd_larger);
	if (s->scans && clamd_address_parse(span_of(s->clamd),
					    &s->daemon.address) != ERR_OK)
		return err_set(why, ERR_CONFIG,
			       "CLAMD: must be the path of a socket or "
			       "host:port, not \"%.120s\"",
			       s->clamd);
	return ERR_OK;
}

enum err content_scanner_open(struct content_scanner *s, struct errmsg *why)
{
	enum err e = open_clamd(s, why);

	return e == ERR_OK
		       ? mime_type_open(s->magic_database, &s->mime_types, why)
		       : e;
}

void content_scanner_close(struct content_scanner *s)
{
	mime_type_close(s->mime_types);
	s->mime_types = NULL;
}

enum err content_scanner_ready(const struct content_scanner *s,
			       struct errmsg *why)
{
	return s->scans ? clamd_ping(&s->daemon, why) : ERR_OK;
}

int64_t content_scanner_limit(const struct content_scanner *s, int64_t max)
{
	if (s->scans && !s->accepts_larger && s->clamd_max < max)
		return s->clamd_max;
	return max;
}

/* --- scanning ------------------------------------------------------------- */

/* Read the piece at `from`, up to the end of the file */
static enum err read_piece(const struct content_source *src, int64_t from,
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

static void decide_type(const struct content_scanner *s, struct span head,
			struct file *f)
{
	char found[FILE_TYPE_MAX + 1];

	mime_type_of(s->mime_types, head, found);
	file_type_decide(span_of(found), span_of(f->claimed_type), f->type);
}

/* Send the whole file; its first piece is already in `piece` */
static enum err send_file_to_clamd(const struct content_source *src,
				   struct clamd_stream *stream,
				   struct buf *piece, struct errmsg *why)
{
	int64_t sent = 0;
	enum err e = ERR_OK;

	while (e == ERR_OK && sent < src->size) {
		if (sent > 0)
			e = read_piece(src, sent, piece, why);
		if (e == ERR_OK && piece->len == 0)
			e = err_set(why, ERR_IO,
				    "the file ends after %lld of %lld bytes",
				    (long long)sent, (long long)src->size);
		if (e == ERR_OK)
			e = clamd_send(stream, buf_span(piece), why);
		sent += (int64_t)piece->len;
	}
	return e;
}

static enum err scan_by_clamd(const struct content_scanner *s,
			      const struct content_source *src,
			      struct buf *piece,
			      char signature[static CLAMD_SIGNATURE_MAX + 1],
			      struct errmsg *why)
{
	struct clamd_stream stream;
	enum err e;

	worker_wait_begin();
	e = clamd_begin(&s->daemon, &stream, why);
	if (e == ERR_OK)
		e = send_file_to_clamd(src, &stream, piece, why);
	if (e == ERR_OK || e == ERR_CLOSED)
		e = clamd_end(&stream, signature, why);
	clamd_close(&stream);
	worker_wait_end();
	return e;
}

enum err content_scanner_scan(const struct content_scanner *s,
			      const struct content_source *src, struct file *f,
			      char signature[static CLAMD_SIGNATURE_MAX + 1],
			      struct errmsg *why)
{
	bool larger = s->scans && src->size > s->clamd_max;
	struct buf piece;
	enum err e;

	if (larger && !s->accepts_larger)
		return ERR_TOO_LARGE;
	buf_init(&piece, CONTENT_SCANNER_PIECE);
	e = read_piece(src, 0, &piece, why);
	if (e == ERR_OK) {
		decide_type(s, buf_span(&piece), f);
		if (s->scans && !larger)
			e = scan_by_clamd(s, src, &piece, signature, why);
	}
	buf_release(&piece);
	return e;
}
