#include "cgi-gateway/events/webhook.h"

#include "common/codec/json.h"
#include "tests/unit/unit.h"

#include <sodium.h>

enum { NOW = 1674087231 };

/* The key of the standard's example has 24 bytes, which are too few here */
#define RAW "k3V9xQ0mZt7Lw2Rb8Yc5Hn1Pd6Sf4GjT"
#define RAW_BASE64 "azNWOXhRMG1adDdMdzJSYjhZYzVIbjFQZDZTZjRHalQ="

static struct errmsg why;

static struct event made(void)
{
	struct event e = {
		.id = 17,
		.target = "http://a/",
		.kind = "uploaded",
		.at = 1767225600,
		.owner_email = "ann@example.org",
		.file = { .id = "0190b3a2-0000-7000-8000-000000000001",
			  .owner = 42,
			  .name = "a \"b\"/\xc3\xa9.txt",
			  .type = "text/plain",
			  .claimed_type = "text/x-odd",
			  .size = INT64_C(1) << 62,
			  .created_at = 1767225599,
			  .expires_at = 1767225601 },
	};

	memset(e.file.sha256, 0xab, sizeof(e.file.sha256));
	return e;
}

static struct webhook_keys keys(const char *secrets)
{
	struct webhook_keys k;

	assert_ok(webhook_keys_read(span_of(secrets), &k, &why));
	return k;
}

static void the_body_has_every_member_of_the_file(void **state)
{
	struct webhook_keys k = keys(RAW);
	struct event e = made();
	struct webhook w;

	(void)state;
	assert_ok(webhook_make(&k, &e, NOW, &w));
	assert_span(
		webhook_body(&w),
		"{\"type\":\"file.uploaded\",\"timestamp\":\"2026-01-01T00:00:"
		"00Z\",\"sequence\":17,\"data\":{\"id\":\"0190b3a2-0000-7000-"
		"8000-000000000001\",\"name\":\"a \\\"b\\\"/\xc3\xa9.txt\","
		"\"size\":4611686018427387904,\"type\":\"text/plain\","
		"\"claimed_type\":\"text/x-odd\","
		"\"sha256\":\"abababababababababababababababababababababababab"
		"abababababababab\",\"created_at\":\"2025-12-31T23:59:59Z\","
		"\"expires_at\":\"2026-01-01T00:00:01Z\",\"upload_link\":null,"
		"\"owner\":42,\"owner_email\":\"ann@example.org\"}}");
	assert_string_equal(w.id,
			    "uploaded_0190b3a2-0000-7000-8000-000000000001");
	assert_string_equal(w.timestamp, "1674087231");
	webhook_release(&w);
	webhook_keys_release(&k);
}

/* Computed with libsodium, which the tested code does not use for this */
static void assert_signed(const struct webhook *w, const char *signature,
			  const char *key)
{
	crypto_auth_hmacsha256_state h;
	unsigned char mac[crypto_auth_hmacsha256_BYTES];
	char want[64] = "v1,";
	struct span body = webhook_body(w);

	crypto_auth_hmacsha256_init(&h, (const unsigned char *)key,
				    strlen(key));
	crypto_auth_hmacsha256_update(&h, (const unsigned char *)w->id,
				      strlen(w->id));
	crypto_auth_hmacsha256_update(&h, (const unsigned char *)".", 1);
	crypto_auth_hmacsha256_update(&h, (const unsigned char *)w->timestamp,
				      strlen(w->timestamp));
	crypto_auth_hmacsha256_update(&h, (const unsigned char *)".", 1);
	crypto_auth_hmacsha256_update(&h, (const unsigned char *)body.p,
				      body.len);
	crypto_auth_hmacsha256_final(&h, mac);
	(void)sodium_bin2base64(want + 3, sizeof(want) - 3, mac, sizeof(mac),
				sodium_base64_VARIANT_ORIGINAL);
	assert_memory_equal(signature, want, strlen(want));
}

static void the_signature_covers_id_time_and_body(void **state)
{
	struct webhook_keys k = keys(RAW);
	struct event e = made();
	struct webhook w, later;

	(void)state;
	assert_ok(webhook_make(&k, &e, NOW, &w));
	assert_int_equal(strlen(w.signature), 3 + 44);
	assert_signed(&w, w.signature, RAW);
	assert_ok(webhook_make(&k, &e, NOW + 1, &later));
	assert_signed(&later, later.signature, RAW);
	assert_string_not_equal(w.signature, later.signature);
	assert_string_equal(w.id, later.id);
	webhook_release(&w);
	webhook_release(&later);
	webhook_keys_release(&k);
}

static void a_secret_with_the_prefix_is_base64_of_the_key(void **state)
{
	struct webhook_keys k = keys("whsec_" RAW_BASE64);
	struct event e = made();
	struct webhook w;

	(void)state;
	assert_ok(webhook_make(&k, &e, NOW, &w));
	assert_signed(&w, w.signature, RAW);
	webhook_release(&w);
	webhook_keys_release(&k);
}

static void two_secrets_make_two_signatures(void **state)
{
	struct webhook_keys k =
		keys("  qY5&hJ0)wE8(zU2*tG7^rD1%aK4$sB9#  whsec_" RAW_BASE64);
	struct event e = made();
	struct webhook w;

	(void)state;
	assert_int_equal(k.count, 2);
	assert_ok(webhook_make(&k, &e, NOW, &w));
	assert_int_equal(strlen(w.signature), 2 * (3 + 44) + 1);
	assert_signed(&w, w.signature, "qY5&hJ0)wE8(zU2*tG7^rD1%aK4$sB9#");
	assert_int_equal(w.signature[47], ' ');
	assert_signed(&w, w.signature + 48, RAW);
	webhook_release(&w);
	webhook_keys_release(&k);
}

static void the_longest_name_and_no_expiry_fit(void **state)
{
	struct webhook_keys k = keys(RAW);
	struct event e = made();
	struct json_object *o = NULL, *data, *at = NULL;
	struct webhook w;

	(void)state;
	memset(e.file.name, '"', FILE_NAME_MAX);
	memset(e.file.type, '"', FILE_TYPE_MAX);
	e.file.expires_at = FILES_NEVER;
	assert_ok(webhook_make(&k, &e, NOW, &w));
	assert_ok(json_read(webhook_body(&w), &o));
	assert_true(json_object_object_get_ex(o, "data", &data));
	assert_true(json_object_object_get_ex(data, "expires_at", &at));
	assert_null(at);
	json_object_put(o);
	webhook_release(&w);
	webhook_keys_release(&k);
}

static void assert_wrong(const char *secrets, const char *said)
{
	struct webhook_keys k = { .count = 77 };

	assert_err(webhook_keys_read(span_of(secrets), &k, &why), ERR_CONFIG);
	assert_int_equal(k.count, 77);
	assert_true(strstr(why.text, "EVENT_SECRET: ") == why.text);
	assert_contains(why.text, said);
	if (secrets[0] != '\0')
		assert_lacks(why.text, secrets);
}

static void an_unusable_secret_is_refused_and_not_printed(void **state)
{
	(void)state;
	assert_wrong("", "missing");
	assert_wrong("0123456789abcdef0123456789abcde", "31 bytes are too few");
	assert_wrong("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZQ==",
		     "31 bytes are too few");
	assert_wrong("whsec_" RAW "!", "must be followed by base64");
	assert_wrong("whsec_" RAW, "24 bytes are too few");
	assert_wrong("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU"
		     "2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjA=",
		     "at most 64 bytes");
	assert_wrong(RAW " short", "too few");
	assert_wrong("the-secret-of-our-events-for-2024", "looks like text");
	assert_wrong("whsec_VGhlIHNlY3JldCBvZiBvdXIgZXZlbnRzIGZvciAyMDI0",
		     "looks like text");
	assert_wrong("0a6b944d-d2fb-46fc-a85e-0295c986cd9f", "UUID");
	assert_wrong(RAW "1 " RAW "2 " RAW "3", "more than 2");
}

static int start(void **state)
{
	(void)state;
	return sodium_init() < 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_body_has_every_member_of_the_file),
		TEST(the_signature_covers_id_time_and_body),
		TEST(a_secret_with_the_prefix_is_base64_of_the_key),
		TEST(two_secrets_make_two_signatures),
		TEST(the_longest_name_and_no_expiry_fit),
		TEST(an_unusable_secret_is_refused_and_not_printed),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
