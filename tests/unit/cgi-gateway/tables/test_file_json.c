#include "cgi-gateway/tables/file_json.h"
#include "tests/unit/unit.h"

enum { NOW = 1767225600 }; /* 2026-01-01T00:00:00Z */

static const struct file euro = {
	.id = "0190b3a2-0000-7000-8000-0000000000ab",
	.owner = 42,
	.name = "\xe2\x82\xac \"x\"/\\.txt",
	.type = "text/plain",
	.claimed_type = "text/x-odd",
	.size = 9007199254740993, /* 2^53 + 1 */
	.sha256 = { 0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14,
		    0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
		    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c,
		    0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55 },
	.created_at = NOW,
};

static void a_receipt_has_only_what_the_client_sent(void **state)
{
	struct json_object *o = file_json_receipt(&euro);

	(void)state;
	assert_non_null(o);
	assert_span(json_write(o),
		    "{\"name\":\"\xe2\x82\xac \\\"x\\\"/\\\\.txt\","
		    "\"size\":9007199254740993,"
		    "\"sha256\":\"e3b0c44298fc1c149afbf4c8996fb924"
		    "27ae41e4649b934ca495991b7852b855\"}");
	json_object_put(o);
}

static void a_time_or_limit_of_zero_is_null(void **state)
{
	struct json_object *o = json_object_new_object();

	(void)state;
	file_json_set_time(o, "a", 0);
	file_json_set_time(o, "b", NOW);
	file_json_set_limit(o, "c", 0);
	file_json_set_limit(o, "d", 7);
	assert_span(json_write(o), "{\"a\":null,\"b\":\"2026-01-01T00:00:00Z\","
				   "\"c\":null,\"d\":7}");
	json_object_put(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_receipt_has_only_what_the_client_sent),
		TEST(a_time_or_limit_of_zero_is_null),
	};

	return RUN(tests);
}
