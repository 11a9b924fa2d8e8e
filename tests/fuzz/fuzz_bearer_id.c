/* A bearer's credential: an API token, or the Authorization header with one. */
#include "common/access/bearer.h"
#include "common/codec/encode.h"
#include "common/token/bearer_id.h"
#include "tests/fuzz/fuzz.h"

#include <sodium.h>

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	MUST(sodium_init() >= 0);
	return 0;
}

/* A token that is accepted has one spelling */
static void check_token(struct span text)
{
	struct bearer_id c, untouched;
	char again[API_TOKEN_LEN + 1];
	unsigned char hash[SHA256_LEN];
	struct span secret;

	memset(&c, 0x55, sizeof(c));
	memset(&untouched, 0x55, sizeof(untouched));
	if (bearer_id_parse_api(text, &c) != ERR_OK) {
		MUST(memcmp(&c, &untouched, sizeof(c)) == 0);
		return;
	}
	MUST(bearer_id_is_api(text));
	MUST(text.len == API_TOKEN_LEN);
	MUST(c.api && strlen(c.session) == IDENT_LEN);
	secret = span_from(text, text.len - API_SECRET_LEN);
	(void)snprintf(again, sizeof(again), "gh_%s_%.*s", c.session,
		       SPAN_ARG(secret));
	MUST(span_eq(text, span_of(again)));
	sha256_of(secret, hash);
	MUST(memcmp(hash, c.secret, SHA256_LEN) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = fuzz_copy(data, size), token = { NULL, 0 };

	check_token(text);
	if (bearer_token(text, &token) == ERR_OK) {
		MUST(token.len > 0 && fuzz_inside(text, token));
		check_token(token);
	}
	fuzz_free(text);
	return 0;
}
