/* Who asks for a share link: the lines of the input are header fields. A preview
 * never gets the bytes. */
#include "cgi-gateway/parse/link_visit.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = fuzz_copy(data, size), rest = text;
	struct link_visit v = { .explicit_bytes = size % 2 == 1 };
	struct span *const fields[] = { &v.accept,    &v.user_agent,
					&v.range,     &v.fetch_dest,
					&v.purpose,   &v.sec_purpose,
					&v.x_purpose, &v.x_moz };

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (!span_next(&rest, '\n', fields[i]))
			break;
	if (link_visit_is_preview(&v))
		MUST(link_visit_wants(&v) != LINK_WANTS_BYTES);
	else if (v.explicit_bytes || v.range.len > 0)
		MUST(link_visit_wants(&v) == LINK_WANTS_BYTES);
	fuzz_free(text);
	return 0;
}
