/* A date that is parsed and formatted again is the same. */
#include "common/codec/http_date.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = fuzz_copy(data, size);
	char back[HTTP_DATE_LEN + 1];
	int64_t t;

	if (http_date_parse(text, &t) == ERR_OK) {
		MUST(t >= 0);
		http_date_format(t, back);
		MUST(span_eq(span_of(back), text));
	}
	fuzz_free(text);
	return 0;
}
