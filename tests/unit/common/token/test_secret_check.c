#include "tests/unit/unit.h"

#include "common/codec/encode.h"
#include "common/token/secret_check.h"

#include <sodium.h>

static const char good[] = "Zt9!kQ2#vL7@xN4$bR8%mW1^pS6&cF3*";

static void assert_weak(struct span secret, const char *word)
{
	struct errmsg why = { "" };

	if (secret_check(secret, &why) == ERR_OK)
		print_error("taken: %.*s\n", SPAN_ARG(secret));
	assert_err(secret_check(secret, &why), ERR_CONFIG);
	assert_contains(why.text, word);
}

static void a_secret_of_31_bytes_is_too_short(void **state)
{
	(void)state;
	assert_int_equal(strlen(good), SECRET_MIN);
	assert_ok(secret_check(span_of(good), NULL));
	assert_weak((struct span) { good, SECRET_MIN - 1 }, "31 bytes");
	assert_weak(SPAN(""), "0 bytes");
	assert_err(secret_check(SPAN("short"), NULL), ERR_CONFIG);
}

static void a_secret_of_1025_bytes_is_too_long(void **state)
{
	char text[SECRET_MAX + 1];

	(void)state;
	randombytes_buf(text, sizeof(text));
	assert_ok(secret_check((struct span) { text, SECRET_MAX }, NULL));
	assert_weak((struct span) { text, SECRET_MAX + 1 }, "1024");
}

static void random_secrets_are_accepted(void **state)
{
	char raw[48], text[BASE64_SIZE(sizeof(raw))], hex[HEX_SIZE(32)];

	(void)state;
	for (int i = 0; i < 10000; i++) {
		randombytes_buf(raw, sizeof(raw));
		base64_encode((struct span) { raw, sizeof(raw) }, text,
			      sizeof(text));
		assert_ok(secret_check(span_of(text), NULL));
		assert_ok(
			secret_check((struct span) { text, SECRET_MIN }, NULL));
		assert_ok(secret_check((struct span) { raw, 32 }, NULL));
		hex_encode((struct span) { raw, 32 }, hex, sizeof(hex));
		assert_ok(secret_check(span_of(hex), NULL));
		assert_ok(
			secret_check((struct span) { hex, SECRET_MIN }, NULL));
		base64url_encode((struct span) { raw, 32 }, text, sizeof(text));
		assert_ok(secret_check(span_of(text), NULL));
	}
}

static void secrets_from_tutorials_are_refused(void **state)
{
	static const char *const known[] = {
		"a-string-secret-at-least-256-bits-long",
		"your-256-bit-secretyour-256-bit-secret",
		"your-256-bit-secret-1234567890123",
		"supersecretsupersecretsupersecret",
		"SuperSecretSuperSecretSuperSecret",
		"change-me-change-me-change-me-change-me",
		"changeme changeme changeme changeme ",
		"password1password1password1password1",
		"mysecretkeymysecretkeymysecretkeymysecretkey",
		"0123456789abcdef0123456789abcdef",
		"0123456789ABCDEF0123456789ABCDEF",
		"abcdefghijklmnopqrstuvwxyz012345",
		"404E635266556A586E3272357538782F413F4428472B4B6250645367566B59"
		"70",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(known); i++)
		assert_weak(span_of(known[i]), "openssl rand");
}

static void a_repetitive_secret_is_refused(void **state)
{
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i % 20);
	assert_weak((struct span) { text, sizeof(text) }, "openssl rand");
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i % 7);
	assert_weak((struct span) { text, sizeof(text) }, "openssl rand");
	assert_weak(SPAN("00000000000000000000000000000000"), "openssl rand");
	assert_weak(SPAN("abcabcdabcdeabcdefabcdefgabcdefgaaa"),
		    "openssl rand");
}

/* Of the kinds that fill public lists of secrets */
static void text_that_people_write_or_type_is_refused(void **state)
{
	static const char *const typed[] = {
		/* phrases */
		"my super secret key for signing of tokens",
		"this-is-a-very-long-secret-that-nobody-guesses",
		"CorrectHorseBatteryStapleOfMyApplication",
		"MySuperSecretKeyForTheProductionServer!",
		"please_replace_this_secret_in_production_2024",
		"<a-random-string-of-at-least-32-characters>",
		"Dieses Geheimnis ist mindestens lang genug",
		"AMINIMUMOF32CHARACTERSFORTHESECRET",
		/* keyboards and counting */
		"qwertyuiopasdfghjklzxcvbnmqwertyuiop",
		"1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
		"12345678901234567890123456789012",
		"abcdefghijklmnopqrstuvwxyz1234567890",
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJ",
		/* hands that fall on keys */
		"asdfkjashdfkjhaskdjfhaksjdhfkajsdhfkjas",
		"jkdfhgjkdfhgkjdfhg84938473984jdfhgjkdfhg",
		/* a part that comes again, and padding */
		"k8Zq!k8Zq!k8Zq!k8Zq!k8Zq!k8Zq!k8Zq!x",
		"8f3kq29xkz00000000000000000000000000",
		/* other scripts */
		"\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c\xd0\xbf"
		"\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c\xd0\xb4\xd0\xbb"
		"\xd1\x8f",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(typed); i++)
		assert_weak(span_of(typed[i]), "openssl rand -base64 48");
}

static void a_uuid_is_no_secret(void **state)
{
	static const char *const uuids[] = {
		"0190b3a2-7c1e-4f6a-9d3b-5e8f2a7c4d10",
		"0190B3A2-7C1E-4F6A-9D3B-5E8F2A7C4D10",
		"{0190b3a2-7c1e-4f6a-9d3b-5e8f2a7c4d10}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(uuids); i++)
		assert_weak(span_of(uuids[i]), "UUID");
	assert_ok(secret_check(SPAN("0190b3a27c1e4f6a9d3b5e8f2a7c4d10"), NULL));
}

static void text_in_base64_or_hex_is_refused(void **state)
{
	(void)state;
	/* "a secret that is not one at all", "my secret in hex letters" */
	assert_weak(SPAN("YSBzZWNyZXQgdGhhdCBpcyBub3Qgb25lIGF0IGFsbA=="),
		    "base64");
	assert_weak(SPAN("YSBzZWNyZXQgdGhhdCBpcyBub3Qgb25lIGF0IGFsbA"),
		    "base64");
	assert_weak(SPAN("6d792073656372657420696e20686578206c657474657273"),
		    "base64 or hex");
}

static void keys_of_a_popular_generator_are_refused(void **state)
{
	(void)state;
	assert_weak(SPAN("-JaNdRgUkXp2s5v8y/B?E(H+KbPeShVm"), "well-known");
	assert_weak(SPAN("x!A%D*G-KaPdRfUjXn2r5u8x/A?D(G+K"), "well-known");
}

/* As other generators print them */
static void random_characters_of_other_alphabets_are_accepted(void **state)
{
	static const char *const alphabets[] = {
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
		"abcdefghijklmnopqrstuvwxyz0123456789",
		"abcdefghijklmnopqrstuvwxyz0123456789!@#$%^&*(-_=+)",
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
		"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(alphabets) * 1000; i++) {
		const char *a = alphabets[i % COUNT(alphabets)];
		char text[40];

		for (size_t n = 0; n < sizeof(text); n++)
			text[n] = a[randombytes_uniform((uint32_t)strlen(a))];
		assert_ok(secret_check((struct span) { text, sizeof(text) },
				       NULL));
	}
}

static void a_reason_has_no_part_of_the_secret(void **state)
{
	struct errmsg why = { "" };

	(void)state;
	assert_err(secret_check(SPAN("correct horse battery staple forever"),
				&why),
		   ERR_CONFIG);
	assert_lacks(why.text, "horse");
}

static void longer_text_is_less_probable(void **state)
{
	(void)state;
	assert_true(secret_improbability(SPAN("my secret key")) <
		    secret_improbability(SPAN("my secret key for my tokens")));
	assert_true(secret_improbability(SPAN("")) >= 0);
	assert_true(secret_improbability(SPAN("a")) >= 0);
}

static int start(void **state)
{
	(void)state;
	return sodium_init() < 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_secret_of_31_bytes_is_too_short),
		TEST(a_secret_of_1025_bytes_is_too_long),
		TEST(random_secrets_are_accepted),
		TEST(secrets_from_tutorials_are_refused),
		TEST(a_repetitive_secret_is_refused),
		TEST(text_that_people_write_or_type_is_refused),
		TEST(a_uuid_is_no_secret),
		TEST(text_in_base64_or_hex_is_refused),
		TEST(keys_of_a_popular_generator_are_refused),
		TEST(random_characters_of_other_alphabets_are_accepted),
		TEST(a_reason_has_no_part_of_the_secret),
		TEST(longer_text_is_less_probable),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
