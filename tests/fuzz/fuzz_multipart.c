/* A body gives the same events however it is cut into pieces. The first line
 * is the Content-Type, the byte after it the size of the pieces, the rest the
 * body. */
#include "cgi-gateway/parse/multipart.h"
#include "common/base/buf.h"
#include "tests/fuzz/fuzz.h"

/* The events of a body as text, with adjacent data joined */
static enum err parse_pieces(struct span type, struct span body, size_t size,
			     struct buf *out)
{
	static struct multipart m;
	struct multipart_event ev;
	enum err e = multipart_init(&m, type);
	bool open = false, closed = false;

	while (e == ERR_OK && body.len > 0) {
		size_t n = size < body.len ? size : body.len;
		/* in its own memory, to find spans into an older piece */
		struct span copy = fuzz_copy((const uint8_t *)body.p, n);
		struct span piece = copy;

		while ((e = multipart_next(&m, &piece, &ev)) == ERR_OK &&
		       ev.kind != MULTIPART_NEEDS_MORE) {
			MUST(!closed);
			MUST(open == (ev.kind == MULTIPART_DATA ||
				      ev.kind == MULTIPART_END));
			open = ev.kind == MULTIPART_PART ||
			       ev.kind == MULTIPART_DATA;
			closed = ev.kind == MULTIPART_CLOSED;
			if (ev.kind == MULTIPART_DATA) {
				MUST(ev.data.len > 0);
				buf_add(out, ev.data);
				continue;
			}
			buf_printf(out, "\n[%d %d] ", (int)ev.kind,
				   ev.part.is_file);
			buf_add(out, ev.part.name);
			buf_add_char(out, '|');
			buf_add(out, ev.part.file);
			buf_add_char(out, '|');
			buf_add(out, ev.part.type);
		}
		MUST(e != ERR_OK || piece.len == 0);
		fuzz_free(copy);
		body = span_from(body, n);
	}
	if (e == ERR_OK)
		MUST(multipart_complete(&m) == closed);
	return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = fuzz_copy(data, size), type = text, body;
	struct buf whole, pieces;
	enum err e;

	buf_init(&whole, 16 * (size + 1024));
	buf_init(&pieces, 16 * (size + 1024));
	if (span_cut(&type, '\n', &body) && body.len > 0) {
		size_t step = (unsigned char)body.p[0] % 64 + 1U;

		body = span_from(body, 1);
		e = parse_pieces(type, body, SIZE_MAX, &whole);
		MUST(parse_pieces(type, body, step, &pieces) == e);
		if (e == ERR_OK)
			MUST(span_eq(buf_span(&whole), buf_span(&pieces)));
	}
	buf_release(&whole);
	buf_release(&pieces);
	fuzz_free(text);
	return 0;
}
