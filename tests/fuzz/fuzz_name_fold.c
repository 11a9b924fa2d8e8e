/* The input is a name. */
#include "cgi-gateway/parse/name_fold.h"
#include "common/codec/encode.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span name = fuzz_copy(data, size);
	char out[NAME_FOLD_MAX + 1] = "";
	enum err e = name_fold(name, out);

	MUST((e == ERR_OK) == (size <= FILE_NAME_MAX && utf8_valid(name) &&
			       (size == 0 || memchr(name.p, 0, size) == NULL)));
	if (e == ERR_OK)
		MUST(utf8_valid(span_of(out)) && strlen(out) <= NAME_FOLD_MAX);
	fuzz_free(name);
	return 0;
}
