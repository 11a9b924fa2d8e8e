/* A date that is parsed and formatted again is the same time. */
#include "common/codec/http_date.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = fuzz_copy(data, size);
	char back[HTTP_DATE_LEN + 1];
	int64_t t, again;

	if (http_date_parse(text, 1795867200, &t) == ERR_OK) {
		MUST(t >= 0);
		http_date_format(t, back);
		MUST(text.len != HTTP_DATE_LEN || text.p[3] != ',' ||
		     span_eq(span_of(back), text));
		MUST(http_date_parse(span_of(back), 0, &again) == ERR_OK);
		MUST(again == t);
	}
	fuzz_free(text);
	return 0;
}
