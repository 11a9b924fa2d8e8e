/* The small grammars of header fields. */
#include "common/access/bearer.h"
#include "common/codec/field.h"
#include "tests/fuzz/fuzz.h"

static void walk_params(struct span text)
{
	struct span rest = text, name, value;
	char *out = malloc(text.len + 1);
	size_t before;

	MUST(out != NULL);
	do {
		before = rest.len;
		if (field_next_param(&rest, &name, &value) != ERR_OK)
			break;
		MUST(field_is_token(name));
		MUST(fuzz_inside(text, name) && fuzz_inside(text, value));
		MUST(field_unquote(value, out) <= value.len);
		MUST(rest.len < before);
	} while (true);
	free(out);
}

static void walk_etags(struct span text)
{
	struct span rest = text, tag;
	bool weak;

	while (field_next_etag(&rest, &tag, &weak)) {
		MUST(tag.len >= 2 && fuzz_inside(text, tag));
		MUST(field_etag_matches(text, tag, ETAG_WEAK));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = fuzz_copy(data, size), token;

	walk_params(text);
	if (field_param(text, SPAN("boundary"), &token) == ERR_OK)
		MUST(fuzz_inside(text, token));
	if (bearer_token(text, &token) == ERR_OK)
		MUST(token.len > 0 && fuzz_inside(text, token));
	/* at most one of two types is preferred to the other */
	MUST(!(field_accept_prefers(text, SPAN("text/plain"),
				    SPAN("application/json")) &&
	       field_accept_prefers(text, SPAN("application/json"),
				    SPAN("text/plain"))));
	MUST(!field_accept_prefers(text, SPAN("a/b"), SPAN("a/b")));
	walk_etags(text);
	if (field_etag_matches(text, SPAN("\"abc\""), ETAG_STRONG))
		MUST(field_etag_matches(text, SPAN("\"abc\""), ETAG_WEAK));
	fuzz_free(text);
	return 0;
}
