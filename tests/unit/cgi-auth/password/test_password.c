#include "tests/unit/unit.h"

#include "cgi-auth/password/password.h"

#include <crypt.h>
#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>

static struct passwords passwords;

static int set_up(void **state)
{
	(void)state;
	return sodium_init() < 0 ||
	       passwords_init(&passwords, PASSWORD_MEMORY_MIN,
			      PASSWORD_PASSES_MIN, 0, 100) != ERR_OK;
}

static int tear_down(void **state)
{
	(void)state;
	passwords_release(&passwords);
	return 0;
}

static enum err check(const char *stored, const char *password)
{
	return password_check(&passwords, FIFO_ANYBODY, stored, password, NULL);
}

/* Whether a right password is to be hashed anew */
static bool renewed(const char *stored, const char *password)
{
	bool renew = false;

	assert_ok(password_check(&passwords, FIFO_ANYBODY, stored, password,
				 &renew));
	return renew;
}

/* A hash of exactly these bytes, as before passwords were normalized */
static const char *old_hash(const char *password)
{
	static char hash[crypto_pwhash_STRBYTES];

	assert_int_equal(crypto_pwhash_str_alg(hash, password, strlen(password),
					       PASSWORD_PASSES_MIN,
					       PASSWORD_MEMORY_MIN,
					       crypto_pwhash_ALG_ARGON2ID13),
			 0);
	return hash;
}

/* What was computed: passes times KiB of each hash that was compared, whatever
 * the load of the machine */
static int64_t work;

int __real_crypto_pwhash_str_verify(const char *stored, const char *password,
				    unsigned long long len);
int __wrap_crypto_pwhash_str_verify(const char *stored, const char *password,
				    unsigned long long len);

int __wrap_crypto_pwhash_str_verify(const char *stored, const char *password,
				    unsigned long long len)
{
	int64_t memory, passes;
	int result;

	errno = 0;
	result = __real_crypto_pwhash_str_verify(stored, password, len);
	/* With another errno, libsodium refused the form, and computed
	 * nothing */
	if ((result == 0 || errno == EINVAL) &&
	    sscanf(stored, "$argon2id$v=19$m=%" SCNd64 ",t=%" SCNd64, &memory,
		   &passes) == 2)
		work += memory * passes;
	return result;
}

static int64_t cost_of_password(const char *stored, const char *password)
{
	work = 0;
	(void)check(stored, password);
	return work;
}

static int64_t cost_of(const char *stored)
{
	return cost_of_password(stored, "not the password");
}

#define NFC "gr\xc3\xbc\xc3\x9f dich"
#define NFD "gru\xcc\x88\xc3\x9f dich"
#define NO_BREAK                     \
	"gr\xc3\xbc\xc3\x9f\xc2\xa0" \
	"dich"

static void a_password_is_one_however_it_is_composed(void **state)
{
	static const char *const forms[] = { NFC, NFD, NO_BREAK };
	char hash[PASSWORD_HASH_MAX + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(forms); i++) {
		assert_ok(password_hash(&passwords, forms[i], hash));
		for (size_t j = 0; j < COUNT(forms); j++) {
			assert_ok(check(hash, forms[j]));
			/* it is the hash of the normal form already */
			if (strcmp(forms[j], NFC) == 0)
				assert_false(renewed(hash, forms[j]));
		}
		assert_err(check(hash, "gru\xc3\x9f dich"), ERR_CREDENTIALS);
		assert_err(check(hash, "GR\xc3\x9c\xc3\x9f dich"),
			   ERR_CREDENTIALS);
	}
}

static void an_old_hash_of_another_form_matches_and_is_renewed(void **state)
{
	(void)state;
	assert_true(renewed(old_hash(NFD), NFD));
	assert_true(renewed(old_hash(NFD), NFC));
	assert_true(renewed(old_hash(NO_BREAK), NO_BREAK));
	assert_false(renewed(old_hash(NFC), NFC));
	assert_false(renewed(old_hash(NFC), NFD));
	assert_false(renewed(old_hash("plain words"), "plain words"));
	assert_err(check(old_hash(NFD), "gru\xc3\x9f dich"), ERR_CREDENTIALS);
}

/* Three hashes, whether there is a user or not */
static void a_text_of_many_forms_costs_the_same_for_an_unknown_user(
	void **state)
{
	char hash[PASSWORD_HASH_MAX + 1];
	int64_t plain, known, unknown;

	(void)state;
	assert_ok(password_hash(&passwords, "x", hash));
	plain = cost_of_password(hash, "grun dich");
	known = cost_of_password(hash, NO_BREAK);
	unknown = cost_of_password(NULL, NO_BREAK);
	assert_true(plain > 0);
	assert_int_equal(known, 3 * plain);
	assert_int_equal(unknown, 3 * plain);
}

static void a_new_hash_is_argon2id_of_the_parameters(void **state)
{
	char hash[PASSWORD_HASH_MAX + 1];

	(void)state;
	assert_ok(password_hash(&passwords, "correct horse", hash));
	assert_int_equal(strncmp(hash, "$argon2id$v=19$m=19456,t=2,p=1$", 31),
			 0);
	assert_int_equal(password_kind(hash), PASSWORD_ARGON2ID);
	assert_false(password_needs_rehash(&passwords, hash));
}

static void a_wrong_password_is_refused(void **state)
{
	char hash[PASSWORD_HASH_MAX + 1];

	(void)state;
	assert_ok(password_hash(&passwords, "p\xc3\xa4ssword", hash));
	assert_ok(check(hash, "p\xc3\xa4ssword"));
	assert_err(check(hash, "password"), ERR_CREDENTIALS);
	assert_err(check(hash, "p\xc3\xa4ssword "), ERR_CREDENTIALS);
	assert_err(check(hash, ""), ERR_CREDENTIALS);
}

static void two_hashes_of_one_password_differ(void **state)
{
	char one[PASSWORD_HASH_MAX + 1], two[PASSWORD_HASH_MAX + 1];

	(void)state;
	assert_ok(password_hash(&passwords, "x", one));
	assert_ok(password_hash(&passwords, "x", two));
	assert_string_not_equal(one, two);
}

static void hashes_of_other_programs_are_verified(void **state)
{
	static const struct {
		const char *password, *hash;
	} known[] = {
		/* PHP's manual, password_verify() */
		{ "rasmuslerdorf", "$2y$07$BCryptRequires22Chrcte/"
				   "VlQH0piJtjXl.0t1XkA8pw9dMXTpOq" },
		/* the specification "Unix crypt using SHA-256 and SHA-512" */
		{ "Hello world!", "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/"
				  "GNooZaBBGWEc5" },
		{ "Hello world!",
		  "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/"
		  "O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1" },
		/* tests of the reference implementation: two lanes */
		{ "password", "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$"
			      "bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(known); i++) {
		assert_ok(check(known[i].hash, known[i].password));
		assert_err(check(known[i].hash, "other"), ERR_CREDENTIALS);
		assert_true(password_needs_rehash(&passwords, known[i].hash));
	}
}

static void every_supported_crypt_method_is_available(void **state)
{
	static const char *const methods[] = { "$2y$", "$2b$", "$2a$",
					       "$6$",  "$5$",  "$y$" };

	(void)state;
	for (size_t i = 0; i < COUNT(methods); i++) {
		char setting[CRYPT_GENSALT_OUTPUT_SIZE];
		struct crypt_data *d = calloc(1, sizeof(*d));

		assert_non_null(d);
		assert_non_null(crypt_gensalt_rn(methods[i], 0, NULL, 0,
						 setting, sizeof(setting)));
		assert_non_null(crypt_r("hunter2!", setting, d));
		assert_int_equal(password_kind(d->output), PASSWORD_CRYPT);
		assert_ok(check(d->output, "hunter2!"));
		assert_err(check(d->output, "hunter2?"), ERR_CREDENTIALS);
		free(d);
	}
}

static void a_plain_text_password_is_refused_even_if_it_is_equal(void **state)
{
	static const char *const plain[] = { "secret",	 "hunter2", "$ecret",
					     "$5",	 "{x",	    "pass$6$",
					     "cafe1234", "!secret", "*star*" };

	(void)state;
	for (size_t i = 0; i < COUNT(plain); i++) {
		assert_int_equal(password_kind(plain[i]), PASSWORD_PLAIN);
		assert_err(check(plain[i], plain[i]), ERR_INVALID);
	}
}

static void an_unsupported_hash_is_not_taken_for_plain_text(void **state)
{
	static const char *const other[] = {
		"",
		"*",
		"!",
		"!$6$saltstring$svn8",
		"$1$abcdefgh$G//4keteveJp0qb8z2DxG/",
		"$apr1$abcdefgh$xxxxxxxxxxxxxxxxxxxxxx",
		"*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19",
		"!!",
		"{SSHA}xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
		"5f4dcc3b5aa765d61d8327deb882cf99",
		"5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(other); i++) {
		assert_int_equal(password_kind(other[i]), PASSWORD_UNKNOWN);
		assert_err(check(other[i], other[i]), ERR_INVALID);
	}
}

static void a_broken_hash_matches_no_password(void **state)
{
	static const char *const broken[] = {
		"$argon2id$",
		"$argon2id$v=19$m=19456,t=2,p=1$AAAA",
		"$argon2id$v=19$m=1,t=0,p=0$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAA",
		"$2y$",
		"$2y$99$BCryptRequires22Chrcte/VlQH0piJtjXl",
		"$6$",
		"$y$j9T$",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(broken); i++)
		assert_true(check(broken[i], "x") != ERR_OK);
}

static void hashes_with_other_parameters_need_a_rehash(void **state)
{
	char hash[PASSWORD_HASH_MAX + 1];
	struct passwords more;

	(void)state;
	assert_ok(passwords_init(&more, PASSWORD_MEMORY_MIN,
				 PASSWORD_PASSES_MIN + 1, 1, 1));
	assert_ok(password_hash(&more, "x", hash));
	assert_ok(check(hash, "x"));
	assert_true(password_needs_rehash(&passwords, hash));
	assert_false(password_needs_rehash(&more, hash));
	passwords_release(&more);
}

static void an_unknown_user_costs_as_much_as_a_wrong_password(void **state)
{
	char hash[PASSWORD_HASH_MAX + 1];
	int64_t wrong, others[4];

	(void)state;
	assert_ok(password_hash(&passwords, "x", hash));
	wrong = cost_of(hash);
	others[0] = cost_of(NULL);
	others[1] = cost_of("plain text");
	others[2] = cost_of("$1$abcdefgh$G//4keteveJp0qb8z2DxG/");
	others[3] = cost_of("$argon2id$v=19$m=19456,t=2,p=1$AAAA");
	assert_true(wrong > 0);
	for (size_t i = 0; i < COUNT(others); i++)
		assert_int_equal(others[i], wrong);
}

static void an_unknown_user_has_no_right_password(void **state)
{
	(void)state;
	assert_err(check(NULL, ""), ERR_CREDENTIALS);
	assert_err(check(NULL, "anything"), ERR_CREDENTIALS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_hash_is_argon2id_of_the_parameters),
		TEST(a_password_is_one_however_it_is_composed),
		TEST(an_old_hash_of_another_form_matches_and_is_renewed),
		TEST(a_text_of_many_forms_costs_the_same_for_an_unknown_user),
		TEST(a_wrong_password_is_refused),
		TEST(two_hashes_of_one_password_differ),
		TEST(hashes_of_other_programs_are_verified),
		TEST(every_supported_crypt_method_is_available),
		TEST(a_plain_text_password_is_refused_even_if_it_is_equal),
		TEST(an_unsupported_hash_is_not_taken_for_plain_text),
		TEST(a_broken_hash_matches_no_password),
		TEST(hashes_with_other_parameters_need_a_rehash),
		TEST(an_unknown_user_costs_as_much_as_a_wrong_password),
		TEST(an_unknown_user_has_no_right_password),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
