/* The input as an Authorization header, and as the content of valid base64. */
#include "cgi-auth/password/basic_credentials.h"
#include "common/codec/encode.h"
#include "tests/fuzz/fuzz.h"

#include <sodium.h>

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	MUST(sodium_init() >= 0);
	return 0;
}

static void check(struct span header)
{
	struct basic_credentials c;

	memset(&c, 'x', sizeof(c));
	if (basic_credentials_parse(header, &c) == ERR_OK) {
		MUST(memchr(c.user, '\0', sizeof(c.user)) != NULL);
		MUST(memchr(c.password, '\0', sizeof(c.password)) != NULL);
		MUST(utf8_valid(span_of(c.user)));
		MUST(utf8_valid(span_of(c.password)));
		MUST(strchr(c.user, ':') == NULL);
		for (const char *p = c.user; *p != '\0'; p++)
			MUST((unsigned char)*p >= 0x20 && *p != 0x7f);
	} else {
		MUST(c.user[0] == 'x' && c.password[0] == 'x');
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = fuzz_copy(data, size);
	char *header = malloc(2 * size + 16);

	MUST(header != NULL);
	check(text);
	memcpy(header, "Basic ", 6);
	base64_encode(text, header + 6, BASE64_SIZE(size));
	check(span_of(header));
	free(header);
	fuzz_free(text);
	return 0;
}
