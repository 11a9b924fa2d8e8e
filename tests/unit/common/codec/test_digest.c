#include "common/codec/digest.h"
#include "common/codec/encode.h"
#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdlib.h>

static void assert_hex(const unsigned char sum[static SHA256_LEN],
		       const char *hex)
{
	char text[HEX_SIZE(SHA256_LEN)];

	hex_encode((struct span) { (const char *)sum, SHA256_LEN }, text,
		   sizeof(text));
	assert_string_equal(text, hex);
}

static void sha256_of_the_examples_of_fips_180_4_is_right(void **state)
{
	unsigned char sum[SHA256_LEN];

	(void)state;
	sha256_of(SPAN(""), sum);
	assert_hex(sum, "e3b0c44298fc1c149afbf4c8996fb924"
			"27ae41e4649b934ca495991b7852b855");
	sha256_of(SPAN("abc"), sum);
	assert_hex(sum, "ba7816bf8f01cfea414140de5dae2223"
			"b00361a396177a9cb410ff61f20015ad");
	sha256_of(SPAN("abcdbcdecdefdefgefghfghighijhijk"
		       "ijkljklmklmnlmnomnopnopq"),
		  sum);
	assert_hex(sum, "248d6a61d20638b8e5c026930c3e6039"
			"a33ce45964ff2167f6ecedd419db06c1");
}

static void sha256_of_a_million_a_in_odd_pieces_is_right(void **state)
{
	unsigned char sum[SHA256_LEN];
	struct sha256 h;
	char piece[997];
	size_t left = 1000000;

	(void)state;
	memset(piece, 'a', sizeof(piece));
	sha256_init(&h);
	while (left > 0) {
		size_t n = left < sizeof(piece) ? left : sizeof(piece);

		sha256_add(&h, (struct span) { piece, n });
		left -= n;
	}
	sha256_end(&h, sum);
	assert_hex(sum, "cdc76e5c9914fb9281a1c7e284d73e67"
			"f1809a48a497200e046d39ccc7112cd0");
}

static void a_state_stored_at_any_byte_resumes_from_there(void **state)
{
	unsigned char want[SHA256_LEN], got[SHA256_LEN];
	char text[200], kept[sizeof(struct sha256)];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * 7);
	sha256_of((struct span) { text, sizeof(text) }, want);
	for (size_t at = 0; at <= sizeof(text); at++) {
		struct sha256 first, second;

		sha256_init(&first);
		sha256_add(&first, (struct span) { text, at });
		memcpy(kept, &first, sizeof(kept)); /* as if in a file */
		memset(&first, 0xee, sizeof(first));
		memcpy(&second, kept, sizeof(kept));
		sha256_add(&second,
			   span_from((struct span) { text, sizeof(text) }, at));
		sha256_end(&second, got);
		assert_memory_equal(got, want, SHA256_LEN);
	}
}

static void sha256_end_leaves_the_state_usable(void **state)
{
	unsigned char early[SHA256_LEN], sum[SHA256_LEN];
	struct sha256 h;

	(void)state;
	sha256_init(&h);
	sha256_add(&h, SPAN("ab"));
	sha256_end(&h, early);
	sha256_add(&h, SPAN("c"));
	sha256_end(&h, sum);
	assert_hex(sum, "ba7816bf8f01cfea414140de5dae2223"
			"b00361a396177a9cb410ff61f20015ad");
}

static void sha256_of_no_bytes_is_right(void **state)
{
	unsigned char sum[SHA256_LEN];
	struct sha256 h;

	(void)state;
	sha256_init(&h);
	sha256_add(&h, (struct span) { NULL, 0 });
	sha256_end(&h, sum);
	assert_hex(sum, "e3b0c44298fc1c149afbf4c8996fb924"
			"27ae41e4649b934ca495991b7852b855");
}

static void assert_hmac(struct span key, struct span text, const char *hex)
{
	unsigned char mac[SHA256_LEN];
	struct hmac_key *k;

	assert_ok(hmac_key_new(key, &k));
	assert_ok(hmac_sha256(k, text, mac));
	assert_hex(mac, hex);
	/* the key can be used again */
	assert_ok(hmac_sha256(k, text, mac));
	assert_hex(mac, hex);
	hmac_key_free(k);
}

/* Cases 1 to 4, 6 and 7; case 5 is a truncated result */
static void hmac_of_the_vectors_of_rfc_4231_is_right(void **state)
{
	char aa[131], dd[50], cd[50], count[25];

	(void)state;
	memset(aa, 0xaa, sizeof(aa));
	memset(dd, 0xdd, sizeof(dd));
	memset(cd, 0xcd, sizeof(cd));
	for (size_t i = 0; i < sizeof(count); i++)
		count[i] = (char)(i + 1);
	assert_hmac(SPAN("\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"
			 "\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"),
		    SPAN("Hi There"),
		    "b0344c61d8db38535ca8afceaf0bf12b"
		    "881dc200c9833da726e9376c2e32cff7");
	assert_hmac(SPAN("Jefe"), SPAN("what do ya want for nothing?"),
		    "5bdcc146bf60754e6a042426089575c7"
		    "5a003f089d2739839dec58b964ec3843");
	assert_hmac((struct span) { aa, 20 }, (struct span) { dd, sizeof(dd) },
		    "773ea91e36800e46854db8ebd09181a7"
		    "2959098b3ef8c122d9635514ced565fe");
	assert_hmac((struct span) { count, sizeof(count) },
		    (struct span) { cd, sizeof(cd) },
		    "82558a389a443c0ea4cc819899f2083a"
		    "85f0faa3e578f8077a2e3ff46729665b");
	assert_hmac((struct span) { aa, 131 },
		    SPAN("Test Using Larger Than Block-Size Key - Hash Key "
			 "First"),
		    "60e431591ee0b67f0d8a26aacbf5b77f"
		    "8e0bc6213728c5140546040f0ee37f54");
	assert_hmac((struct span) { aa, 131 },
		    SPAN("This is a test using a larger than block-size key "
			 "and a larger than block-size data. The key needs to "
			 "be hashed before being used by the HMAC algorithm."),
		    "9b09ffa71b942fcb27635fbcd5b0e944"
		    "bfdc63644f0713938a7f51535c3a35e2");
}

static void an_empty_text_has_a_mac(void **state)
{
	unsigned char a[SHA256_LEN], b[SHA256_LEN];
	struct hmac_key *k;

	(void)state;
	assert_ok(hmac_key_new(SPAN("some key"), &k));
	assert_ok(hmac_sha256(k, (struct span) { NULL, 0 }, a));
	assert_ok(hmac_sha256(k, SPAN("x"), b));
	assert_memory_not_equal(a, b, SHA256_LEN);
	hmac_key_free(k);
	hmac_key_free(NULL);
}

static void *sign_often(void *arg)
{
	unsigned char mac[SHA256_LEN], first[SHA256_LEN];
	const struct hmac_key *k = arg;
	size_t wrong = 0;

	wrong += hmac_sha256(k, SPAN("text"), first) != ERR_OK;
	for (int i = 0; i < 500; i++)
		wrong += hmac_sha256(k, SPAN("text"), mac) != ERR_OK ||
			 memcmp(mac, first, SHA256_LEN) != 0;
	return wrong > 0 ? arg : NULL;
}

static void one_key_can_be_used_by_many_threads(void **state)
{
	pthread_t threads[4];
	struct hmac_key *k;
	void *failed;

	(void)state;
	assert_ok(hmac_key_new(SPAN("a key for all"), &k));
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, sign_often, k), 0);
	for (size_t i = 0; i < COUNT(threads); i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	hmac_key_free(k);
}

static void equal_digests_have_equal_bytes_and_lengths(void **state)
{
	char a[SHA256_LEN] = { 0 }, b[SHA256_LEN] = { 0 };
	struct span left = { a, sizeof(a) }, right = { b, sizeof(b) };

	(void)state;
	assert_true(digest_equal(left, right));
	for (size_t i = 0; i < sizeof(b) * 8; i++) {
		b[i / 8] ^= (char)(1 << i % 8);
		assert_false(digest_equal(left, right));
		b[i / 8] ^= (char)(1 << i % 8);
	}
	right.len--;
	assert_false(digest_equal(left, right));
	assert_true(digest_equal(SPAN(""), (struct span) { NULL, 0 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sha256_of_the_examples_of_fips_180_4_is_right),
		TEST(sha256_of_a_million_a_in_odd_pieces_is_right),
		TEST(a_state_stored_at_any_byte_resumes_from_there),
		TEST(sha256_end_leaves_the_state_usable),
		TEST(sha256_of_no_bytes_is_right),
		TEST(hmac_of_the_vectors_of_rfc_4231_is_right),
		TEST(an_empty_text_has_a_mac),
		TEST(one_key_can_be_used_by_many_threads),
		TEST(equal_digests_have_equal_bytes_and_lengths),
	};

	return RUN(tests);
}
