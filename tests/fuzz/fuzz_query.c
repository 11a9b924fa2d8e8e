/* The first line names the parameter, the rest is the query string. */
#include "common/base/buf.h"
#include "common/codec/encode.h"
#include "common/codec/query.h"
#include "tests/fuzz/fuzz.h"

static void check_percent(struct span text)
{
	char *out = malloc(text.len + 1), *again = malloc(text.len + 1);
	struct buf b;
	size_t n, m;

	MUST(out != NULL && again != NULL);
	buf_init(&b, 4 * text.len + 1);
	if (percent_decode(text, false, out, &n) == ERR_OK) {
		MUST(n <= text.len);
		percent_encode((struct span) { out, n }, &b);
		MUST(buf_error(&b) == ERR_OK);
		again = realloc(again, b.len + 1);
		MUST(again != NULL);
		MUST(percent_decode(buf_span(&b), false, again, &m) == ERR_OK);
		MUST(m == n && memcmp(out, again, n) == 0);
	}
	buf_release(&b);
	free(again);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = fuzz_copy(data, size), name = text, query;
	char out[64];
	size_t n = 0;

	if (span_cut(&name, '\n', &query)) {
		if (query_get(query, name, out, sizeof(out), &n) == ERR_OK)
			MUST(n <= sizeof(out));
		check_percent(query);
	}
	fuzz_free(text);
	return 0;
}
