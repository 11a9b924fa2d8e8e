/* The first line is Upload-Checksum, the rest are the bytes: added whole or in
 * two pieces they give the same result. */
#include "cgi-gateway/parse/checksum.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = fuzz_copy(data, size), field = text, bytes, half;
	struct checksum c, again;
	enum err e;

	if (!span_cut(&field, '\n', &bytes))
		bytes = (struct span) { NULL, 0 };
	e = checksum_begin(&c, field);
	if (e != ERR_OK) {
		MUST(e == ERR_FORMAT || e == ERR_INVALID);
		fuzz_free(text);
		return 0;
	}
	MUST(c.announced == (field.len > 0) && c.len <= CHECKSUM_MAX);
	MUST(checksum_begin(&again, field) == ERR_OK);
	half = (struct span) { bytes.p, bytes.len / 2 };
	checksum_add(&c, half);
	checksum_add(&c, span_from(bytes, half.len));
	checksum_add(&again, bytes);
	MUST(checksum_matches(&c) == checksum_matches(&again));
	checksum_release(&c);
	checksum_release(&again);
	fuzz_free(text);
	return 0;
}
