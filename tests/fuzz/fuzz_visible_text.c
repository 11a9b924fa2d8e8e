/* Text that people read: a text that is accepted is clean. */
#include "common/codec/encode.h"
#include "common/codec/visible_text.h"
#include "tests/fuzz/fuzz.h"

enum {
	MAX = 100, /* bytes */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = fuzz_copy(data, size), s;
	struct text_fault fault = { "" };
	char out[MAX + 1], again[MAX + 1];

	if (visible_text_clean(text, out, MAX, &fault) != ERR_OK) {
		MUST(fault.text[0] != '\0');
		fuzz_free(text);
		return 0;
	}
	s = span_of(out);
	MUST(s.len > 0 && s.len <= text.len && utf8_valid(s));
	MUST(!span_has_control(s) && span_trim(s).len == s.len);
	MUST(strstr(out, "\xe2\x80\xae") == NULL);
	MUST(strstr(out, "\xef\xbb\xbf") == NULL);
	MUST(visible_text_clean(s, again, MAX, &fault) == ERR_OK);
	MUST(strcmp(out, again) == 0);
	fuzz_free(text);
	return 0;
}
