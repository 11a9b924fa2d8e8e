#include "common/codec/encode.h"
#include "common/token/keyring.h"
#include "tests/unit/unit.h"

#include <sodium.h>

/* Unique secrets, base64url of 32 bytes each */
#define SECRET_A "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define SECRET_B "OMCgS-4cPMe5sVUUJhl1Bc44xjXEAbth1rN-fFuGD_I"

static const char good[] = "Zt9!kQ2#vL7@xN4$bR8%mW1^pS6&cF3*";

static void one_secret_makes_a_keyring_of_one_key(void **state)
{
	unsigned char sum[SHA256_LEN];
	char hex[HEX_SIZE(SHA256_LEN)];
	struct keyring k;

	(void)state;
	assert_ok(keyring_from_secret(span_of(good), &k, NULL));
	assert_int_equal(k.count, 1);
	sha256_of(span_of(good), sum);
	hex_encode((struct span) { (char *)sum, sizeof(sum) }, hex,
		   sizeof(hex));
	assert_int_equal(strlen(keyring_signer(&k)->kid), 16);
	assert_memory_equal(keyring_signer(&k)->kid, hex, 16);
	assert_true(key_is_live(keyring_signer(&k), INT64_MAX));
	keyring_release(&k);
}

static void a_weak_secret_makes_no_keyring(void **state)
{
	struct errmsg why;
	struct keyring k = { .count = 77 };

	(void)state;
	assert_err(keyring_from_secret(SPAN("too short"), &k, &why),
		   ERR_CONFIG);
	assert_int_equal(k.count, 77);
	assert_contains(why.text, "9 bytes");
	assert_lacks(why.text, "too short");
}

static void the_last_key_that_does_not_retire_signs(void **state)
{
	struct keyring k;

	(void)state;
	assert_ok(keyring_from_text(SPAN("# made by hand\n"
					 "\n"
					 "old 1000 2000 " SECRET_A "\n"
					 "new 1500 - " SECRET_B "\n"),
				    &k, NULL));
	assert_int_equal(k.count, 2);
	assert_string_equal(keyring_signer(&k)->kid, "new");
	keyring_release(&k);
	assert_ok(keyring_from_text(SPAN("new 1500 - " SECRET_B "\n"
					 "old 1000 2000 " SECRET_A),
				    &k, NULL));
	assert_string_equal(keyring_signer(&k)->kid, "new");
	keyring_release(&k);
}

static void a_key_is_retired_in_the_second_it_retires(void **state)
{
	struct keyring k;

	(void)state;
	assert_ok(keyring_from_text(SPAN("old 1000 2000 " SECRET_A "\n"
					 "new 1500 - " SECRET_B "\n"),
				    &k, NULL));
	assert_true(key_is_live(&k.keys[0], 1999));
	assert_false(key_is_live(&k.keys[0], 2000));
	assert_true(key_is_live(&k.keys[1], INT64_MAX));
	keyring_release(&k);
}

static void assert_bad_line(struct span text, const char *word)
{
	struct errmsg why = { "" };
	struct keyring k = { .count = 77 };
	enum err e = keyring_from_text(text, &k, &why);

	if (e == ERR_OK)
		print_error("taken: %.*s\n", SPAN_ARG(text));
	assert_err(e, ERR_CONFIG);
	assert_int_equal(k.count, 77);
	assert_contains(why.text, word);
	assert_lacks(why.text, SECRET_A);
}

static void a_malformed_line_is_named_by_its_number(void **state)
{
	static const char *const wrong[] = {
		"k",
		"k 1",
		"k 1 -",
		"k 1 - ",
		"k 1 - " SECRET_A " x",
		"k x - " SECRET_A,
		"k 1 x " SECRET_A,
		"k 1 0 " SECRET_A,
		"k -1 - " SECRET_A,
		"k 1 - " SECRET_A "=",
		"k  1 - " SECRET_A,
		"k 1 - AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9",
		" 1 - " SECRET_A,
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		(void)snprintf(text, sizeof(text),
			       "# one\nb 1 - " SECRET_B "\n%s\n", wrong[i]);
		assert_bad_line(span_of(text), "line 3: ");
	}
}

static void a_short_secret_in_a_keyring_is_named_by_its_line(void **state)
{
	(void)state;
	assert_bad_line(SPAN("k 1 - AAECAwQF\n"), "line 1: the secret is 6 ");
}

static void a_keyring_without_a_signer_is_refused(void **state)
{
	(void)state;
	assert_bad_line(SPAN(""), "auth-admin key new");
	assert_bad_line(SPAN("\n# nothing\n"), "auth-admin key new");
	assert_bad_line(SPAN("old 1000 2000 " SECRET_A "\n"),
			"auth-admin key new");
}

static void two_keys_of_one_name_are_refused(void **state)
{
	(void)state;
	assert_bad_line(SPAN("k 1 - " SECRET_A "\nk 2 - " SECRET_B "\n"),
			"line 2: two keys are named k");
}

/* A key name is in a token's head and in log lines, without escaping */
static void a_key_name_has_plain_characters_only(void **state)
{
	char text[256], name[KID_MAX + 2];
	struct keyring k;

	(void)state;
	assert_bad_line(SPAN("a\"b 1 - " SECRET_A), "line 1: ");
	assert_bad_line(SPAN("a\\b 1 - " SECRET_A), "line 1: ");
	assert_bad_line(SPAN("a\x01 1 - " SECRET_A), "line 1: ");
	assert_bad_line(SPAN("\xc3\xa9 1 - " SECRET_A), "line 1: ");
	assert_bad_line(SPAN("a\0b 1 - " SECRET_A), "line 1: ");
	memset(name, 'k', sizeof(name));
	name[KID_MAX + 1] = '\0';
	(void)snprintf(text, sizeof(text), "%s 1 - " SECRET_A, name);
	assert_bad_line(span_of(text), "63");
	(void)snprintf(text, sizeof(text), "%s 1 - " SECRET_A, name + 1);
	assert_ok(keyring_from_text(span_of(text), &k, NULL));
	keyring_release(&k);
	assert_ok(keyring_from_text(SPAN("Az09.-_ 1 - " SECRET_A), &k, NULL));
	keyring_release(&k);
}

static void a_keyring_has_at_most_16_keys(void **state)
{
	char text[(KEYRING_MAX + 1) * 80];
	struct keyring k;
	size_t n = 0;

	(void)state;
	for (int i = 0; i <= KEYRING_MAX; i++) {
		char raw[32], secret[BASE64URL_SIZE(sizeof(raw))];

		randombytes_buf(raw, sizeof(raw));
		base64url_encode((struct span) { raw, sizeof(raw) }, secret,
				 sizeof(secret));
		n += (size_t)snprintf(text + n, sizeof(text) - n,
				      "k%d 1 - %s\n", i, secret);
		if (i == KEYRING_MAX - 1) {
			assert_ok(keyring_from_text((struct span) { text, n },
						    &k, NULL));
			assert_int_equal(k.count, KEYRING_MAX);
			keyring_release(&k);
		}
	}
	assert_bad_line((struct span) { text, n }, "line 17: ");
}

static void the_next_end_is_that_of_the_next_key_that_retires(void **state)
{
	struct keyring k;

	(void)state;
	assert_ok(keyring_from_text(SPAN("a 1 300 " SECRET_A "\n"
					 "b 1 200 " SECRET_B "\n"
					 "c 1 - " SECRET_A "\n"),
				    &k, NULL));
	assert_int_equal(keyring_next_end(&k, 100), 200);
	assert_int_equal(keyring_next_end(&k, 200), 300);
	assert_true(keyring_next_end(&k, 300) == INT64_MAX);
	keyring_release(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_secret_makes_a_keyring_of_one_key),
		TEST(a_weak_secret_makes_no_keyring),
		TEST(the_last_key_that_does_not_retire_signs),
		TEST(a_key_is_retired_in_the_second_it_retires),
		TEST(a_malformed_line_is_named_by_its_number),
		TEST(a_short_secret_in_a_keyring_is_named_by_its_line),
		TEST(a_keyring_without_a_signer_is_refused),
		TEST(two_keys_of_one_name_are_refused),
		TEST(a_key_name_has_plain_characters_only),
		TEST(a_keyring_has_at_most_16_keys),
		TEST(the_next_end_is_that_of_the_next_key_that_retires),
	};

	if (sodium_init() < 0)
		return 1;
	return RUN(tests);
}
