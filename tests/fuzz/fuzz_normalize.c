/* The input in every form: each is UTF-8, fits, and is its own normal form. */
#include "common/codec/encode.h"
#include "common/codec/normalize.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = fuzz_copy(data, size);
	char once[NORMALIZE_SIZE], twice[NORMALIZE_SIZE];

	for (int f = NORMAL_NFC; f <= NORMAL_FOLDED; f++) {
		once[0] = 'x';
		if (normalize(text, (enum normal_form)f, once) != ERR_OK) {
			MUST(once[0] == 'x');
			continue;
		}
		MUST(size <= NORMALIZE_MAX && utf8_valid(text));
		MUST(memchr(once, '\0', sizeof(once)) != NULL);
		MUST(utf8_valid(span_of(once)));
		if (f != NORMAL_FOLDED &&
		    normalize(span_of(once), (enum normal_form)f, twice) ==
			    ERR_OK)
			MUST(strcmp(once, twice) == 0);
	}
	fuzz_free(text);
	return 0;
}
