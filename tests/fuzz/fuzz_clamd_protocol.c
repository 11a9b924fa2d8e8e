/* An answer of the scanner is clean, a signature or an error; an address is a
 * path or a host and port. */
#include "cgi-gateway/parse/clamd_protocol.h"
#include "tests/fuzz/fuzz.h"

static void check_address(struct span text)
{
	struct clamd_address a;

	if (clamd_address_parse(text, &a) != ERR_OK)
		return;
	if (a.path[0] != '\0') {
		MUST(a.path[0] == '/' && a.host[0] == '\0');
		MUST(span_eq(span_of(a.path), text));
		return;
	}
	MUST(a.host[0] != '\0' && a.port[0] != '\0');
	MUST(strlen(a.port) < sizeof(a.port));
	MUST(span_has_suffix(text, span_of(a.port)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = fuzz_copy(data, size);
	char name[CLAMD_SIGNATURE_MAX + 1] = "untouched";
	enum err e = clamd_reply_parse(text, name);

	MUST((e == ERR_OK) == span_eq(text, SPAN("stream: OK")));
	if (e == ERR_INFECTED) {
		MUST(name[0] != '\0' && span_has_suffix(text, SPAN(" FOUND")));
		for (const char *p = name; *p != '\0'; p++)
			MUST(*p > 0x20 && *p < 0x7f);
	} else {
		MUST(strcmp(name, "untouched") == 0);
	}
	check_address(text);
	fuzz_free(text);
	return 0;
}
