/* An answer is read the same however it is cut into pieces. The first byte is
 * the size of the pieces, the rest the answer of a program. */
#include "common/base/buf.h"
#include "fcgi-probe/answer.h"
#include "fcgi-probe/wire.h"
#include "tests/fuzz/fuzz.h"

static enum err read_pieces(struct span text, size_t size, struct buf *out)
{
	struct wire_reader r;
	struct wire_event ev = { .kind = WIRE_HUNGRY };
	enum err e = ERR_OK;

	wire_reader_init(&r);
	while (e == ERR_OK && text.len > 0 && ev.kind != WIRE_END) {
		size_t n = size < text.len ? size : text.len;
		/* in its own memory, to find spans into an older piece */
		struct span copy = fuzz_copy((const uint8_t *)text.p, n);
		struct span piece = copy;

		while ((e = wire_next(&r, &piece, &ev)) == ERR_OK &&
		       ev.kind == WIRE_OUTPUT) {
			MUST(ev.data.len > 0 && fuzz_inside(copy, ev.data));
			buf_add(out, ev.data);
		}
		if (e == ERR_OK && ev.kind == WIRE_END)
			buf_printf(out, "[%d]", ev.refusal);
		MUST(e != ERR_OK || ev.kind == WIRE_END || piece.len == 0);
		fuzz_free(copy);
		text = span_from(text, n);
	}
	return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = fuzz_copy(data, size);
	struct answer a = { -1, { NULL, 0 } };
	struct buf whole, pieces;
	enum err e;

	buf_init(&whole, size + 64);
	buf_init(&pieces, size + 64);
	if (text.len > 1) {
		size_t step = (unsigned char)text.p[0] % 64 + 1U;

		e = read_pieces(span_from(text, 1), SIZE_MAX, &whole);
		MUST(read_pieces(span_from(text, 1), step, &pieces) == e);
		MUST(span_eq(buf_span(&whole), buf_span(&pieces)));
		MUST(buf_error(&whole) == ERR_OK);
		if (answer_read(buf_span(&whole), &a) == ERR_OK)
			MUST(a.status >= 100 && a.status <= 999 &&
			     fuzz_inside(buf_span(&whole), a.body));
		else
			MUST(a.status == -1);
	}
	buf_release(&whole);
	buf_release(&pieces);
	fuzz_free(text);
	return 0;
}
