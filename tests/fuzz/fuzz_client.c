/* REMOTE_ADDR, X-Forwarded-For and TRUSTED_PROXIES, a line each. */
#include "common/http/client.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = fuzz_copy(data, size), rest = text;
	struct span line[3] = { { NULL, 0 } };
	struct client c, again;
	struct span bad;

	for (int i = 0; i < 3; i++)
		(void)span_next(&rest, '\n', &line[i]);
	client_parse(line[0], line[1], line[2], &c);
	MUST(memchr(c.address, '\0', sizeof(c.address)) != NULL);
	MUST(memchr(c.network, '\0', sizeof(c.network)) != NULL);
	MUST((c.address[0] == '\0') == (c.network[0] == '\0'));
	/* The result is canonical */
	client_parse(span_of(c.address), SPAN(""), SPAN(""), &again);
	MUST(strcmp(c.address, again.address) == 0);
	MUST(strcmp(c.network, again.network) == 0);
	if (client_check_trusted(line[2], &bad) != ERR_OK)
		MUST(bad.len > 0 && fuzz_inside(text, bad));
	fuzz_free(text);
	return 0;
}
