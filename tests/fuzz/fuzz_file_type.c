/* A type found by libmagic, a newline, and a type claimed by a client: the
 * decision between them is harmless. */
#include "cgi-gateway/parse/file_type.h"
#include "cgi-gateway/parse/type_class.h"
#include "common/codec/field.h"
#include "tests/fuzz/fuzz.h"

static bool is_type(const char *type)
{
	struct span kind = span_of(type), subtype;

	return kind.len <= FILE_TYPE_MAX && span_cut(&kind, '/', &subtype) &&
	       field_is_token(kind) && field_is_token(subtype);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span all = fuzz_copy(data, size), line = all, rest = { NULL, 0 };
	char found[FILE_TYPE_MAX + 1] = "", claimed[FILE_TYPE_MAX + 1] = "";
	char type[FILE_TYPE_MAX + 1], again[FILE_TYPE_MAX + 1];

	(void)span_cut(&line, '\n', &rest);
	if (line.len > 0)
		file_type_clean(line, found);
	if (rest.len > 0)
		file_type_clean(rest, claimed);
	MUST(claimed[0] == '\0' || is_type(claimed));
	file_type_decide(span_of(found), span_of(claimed), type);
	MUST(is_type(type));
	/* No other type is ever the result */
	MUST(strcmp(type, found) == 0 || strcmp(type, claimed) == 0 ||
	     strcmp(type, "text/plain") == 0 ||
	     strcmp(type, "application/octet-stream") == 0 ||
	     strcmp(type, "application/zip") == 0 ||
	     strcmp(type, "audio/wav") == 0 || strcmp(type, "audio/mp4") == 0);
	MUST(!type_is_active(span_of(type)));
	/* What is stored is what is sent */
	file_type_to_send(span_of(type), again);
	MUST(strncmp(type, "multipart/", 10) == 0 || strcmp(type, again) == 0);
	/* A picture is only what libmagic found to be one */
	if (type_is_inert(span_of(type)) && strncmp(type, "text", 4) != 0)
		MUST(strcmp(type, found) == 0 ||
		     strncmp(found, "audio/x-", 8) == 0);
	/* cleaning a clean type changes nothing */
	file_type_clean(span_of(type), again);
	MUST(strncmp(type, "multipart/", 10) == 0 || strcmp(type, again) == 0);
	fuzz_free(all);
	return 0;
}
