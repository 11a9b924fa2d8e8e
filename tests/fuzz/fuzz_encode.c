/* Every text has one meaning: decoded and encoded again it is the same. */
#include "common/codec/encode.h"
#include "tests/fuzz/fuzz.h"

#include <sodium.h>

typedef enum err decode_fn(struct span in, char *out, size_t cap, size_t *len);
typedef void encode_fn(struct span in, char *out, size_t cap);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	MUST(sodium_init() >= 0);
	return 0;
}

static void check_round_trip(struct span text, decode_fn *decode,
			     encode_fn *encode, bool nocase)
{
	char *out = malloc(text.len + 1), *back;
	size_t n;

	MUST(out != NULL);
	if (decode(text, out, text.len + 1, &n) == ERR_OK) {
		back = malloc(2 * n + 8);
		MUST(back != NULL);
		encode((struct span) { out, n }, back, 2 * n + 8);
		MUST(nocase ? span_eq_nocase(span_of(back), text)
			    : span_eq(span_of(back), text));
		free(back);
		/* a buffer one byte shorter is too small */
		if (n > 0)
			MUST(decode(text, out, n - 1, &n) == ERR_TOO_LARGE);
	}
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = fuzz_copy(data, size);
	char *all = malloc(2 * size + 8);

	MUST(all != NULL);
	check_round_trip(text, base64url_decode, base64url_encode, false);
	check_round_trip(text, base64_decode, base64_encode, false);
	check_round_trip(text, hex_decode, hex_encode, true);
	base64url_encode(text, all, BASE64URL_SIZE(size));
	base64_encode(text, all, BASE64_SIZE(size));
	hex_encode(text, all, HEX_SIZE(size));
	(void)utf8_valid(text);
	free(all);
	fuzz_free(text);
	return 0;
}
