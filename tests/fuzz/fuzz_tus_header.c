/* The first line is Upload-Metadata, the second Upload-Concat. */
#include "cgi-gateway/parse/tus_header.h"
#include "tests/fuzz/fuzz.h"

static void metadata(struct span field)
{
	char out[TUS_METADATA_MAX], small[3];
	size_t len = 0;
	enum err e = tus_metadata_check(field);

	if (e != ERR_OK) {
		MUST(e == ERR_FORMAT || e == ERR_TOO_LARGE);
		return;
	}
	MUST(field.len <= TUS_METADATA_MAX);
	/* Metadata that passed the check can be read, whole */
	e = tus_metadata_get(field, "filename", out, sizeof(out), &len);
	MUST(e == ERR_NOT_FOUND || (e == ERR_OK && len < field.len));
	e = tus_metadata_get(field, "filename", small, sizeof(small), &len);
	MUST(e == ERR_NOT_FOUND || e == ERR_TOO_LARGE ||
	     (e == ERR_OK && len <= sizeof(small)));
}

static void concat(struct span field)
{
	enum tus_concat kind = TUS_WHOLE;
	struct span parts = { NULL, 0 }, id;
	size_t n = 0;
	enum err e = tus_concat_parse(field, &kind, &parts);

	MUST(e == ERR_OK || e == ERR_FORMAT || e == ERR_TOO_LARGE);
	MUST((kind == TUS_FINAL) == (parts.len > 0));
	MUST(fuzz_inside(field, parts));
	while (tus_concat_next(&parts, &id)) {
		MUST(fuzz_inside(field, id));
		for (size_t i = 0; i < id.len; i++)
			MUST(id.p[i] > 0x20 && id.p[i] != '/' &&
			     id.p[i] != '?');
		MUST(++n <= field.len);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = fuzz_copy(data, size), first = text, second;

	if (!span_cut(&first, '\n', &second))
		second = (struct span) { NULL, 0 };
	metadata(first);
	concat(second);
	fuzz_free(text);
	return 0;
}
