/* A digest that is written and read again is the same. */
#include "cgi-gateway/parse/digest_field.h"
#include "tests/fuzz/fuzz.h"

#include <sodium.h>

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	MUST(sodium_init() >= 0);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = fuzz_copy(data, size);
	unsigned char sum[SHA256_LEN], again[SHA256_LEN];
	struct buf b;

	buf_init(&b, 128);
	if (digest_field_parse(text, sum) == ERR_OK) {
		digest_field_write(sum, &b);
		MUST(buf_error(&b) == ERR_OK);
		MUST(digest_field_parse(buf_span(&b), again) == ERR_OK);
		MUST(memcmp(sum, again, sizeof(sum)) == 0);
	}
	buf_release(&b);
	fuzz_free(text);
	return 0;
}
