#include "common/access/bearer.h"
#include "tests/unit/key_files.h"
#include "tests/unit/transport_memory.h"
#include "tests/unit/unit.h"

#include <sodium.h>
#include <stdlib.h>

static struct keyring_file *keys;
static bool remembers; /* tokens that were verified */
static const struct jwt_rules rules = { "gatehouse", "" };
static char header[4096];

static struct claims ann = {
	.user_id = 42,
	.email = "ann@example.org",
	.scope = "files:read",
	.issuer = "gatehouse",
	.token_id = "abc-123",
	.session = "AAAAAAAAAAAAAAAAAAAAAA",
	.issued_at = 1000,
	.not_before = 1000,
	.expires_at = 1900,
};

static enum err token_of(const char *authorization, struct span *out)
{
	return bearer_token(span_of(authorization), out);
}

static void a_token_follows_bearer_and_a_blank(void **state)
{
	static const char *const right[] = {
		"Bearer abc",  "bearer abc",   "BEARER abc",
		"Bearer  abc", " Bearer abc ", "Bearer abc\t",
	};
	struct span token;

	(void)state;
	for (size_t i = 0; i < COUNT(right); i++) {
		assert_ok(token_of(right[i], &token));
		assert_span(token, "abc");
	}
	assert_ok(token_of("Bearer aZ09-._~+/==", &token));
	assert_span(token, "aZ09-._~+/==");
}

static void another_scheme_has_no_token(void **state)
{
	static const char *const others[] = {
		"",	     " ",	 "Basic YTpi",	"Digest x",
		"Bearerabc", "Bear abc", "Bearer\tabc", "Bearer:abc",
		"Token abc",
	};
	struct span token = SPAN("old");

	(void)state;
	for (size_t i = 0; i < COUNT(others); i++)
		assert_err(token_of(others[i], &token), ERR_NO_TOKEN);
	assert_err(bearer_token((struct span) { NULL, 0 }, &token),
		   ERR_NO_TOKEN);
	assert_span(token, "old");
}

static void bearer_without_a_b64token_is_malformed(void **state)
{
	static const char *const wrong[] = {
		"Bearer",	    "Bearer ",
		"Bearer a b",	    "Bearer a,b",
		"Bearer =",	    "Bearer a=b",
		"Bearer \"abc\"",   "Bearer \xc3\xa9",
		"Bearer a\x01",	    "Bearer a, Basic b",
		"Bearer token=abc",
	};
	struct span token = SPAN("old");

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_err(token_of(wrong[i], &token), ERR_TOKEN_REQUEST);
	assert_err(bearer_token(SPAN("Bearer a\0b"), &token),
		   ERR_TOKEN_REQUEST);
	assert_span(token, "old");
}

/* The result of the check of `authorization` at second `now` */
static enum err checked(struct request *rq, const char *authorization,
			int64_t now, const char *scope)
{
	struct memory m;
	enum err e;

	memory_init(&m, "GET", "/files");
	memory_set(&m, "HTTP_AUTHORIZATION", authorization);
	*rq = (struct request) { .transport = &m.base, .now = now };
	e = bearer_check(rq, keys, &rules, scope);
	rq->transport = NULL;
	memory_release(&m);
	return e;
}

/* "Bearer " and a token for `c`, in `header` */
static const char *bearing(const struct claims *c)
{
	const struct keyring *ring = keyring_file_take(keys, c->issued_at);
	struct buf b;

	buf_init(&b, sizeof(header) - 1);
	buf_add_str(&b, "Bearer ");
	assert_ok(jwt_sign(c, ring, &b));
	keyring_file_give(keys, ring);
	assert_true(span_to_cstr(buf_span(&b), header, sizeof(header)));
	buf_release(&b);
	return header;
}

static void a_valid_token_fills_the_claims(void **state)
{
	struct request rq;

	(void)state;
	assert_ok(checked(&rq, bearing(&ann), 1500, "files:read"));
	assert_true(rq.authenticated);
	assert_int_equal(rq.claims.user_id, 42);
	assert_string_equal(rq.claims.email, "ann@example.org");
	assert_string_equal(rq.bearer_id.session, ann.session);
	assert_false(rq.bearer_id.api);
}

static void a_missing_token_differs_from_an_invalid_one(void **state)
{
	struct request rq;

	(void)state;
	assert_err(checked(&rq, NULL, 1500, ""), ERR_NO_TOKEN);
	assert_err(checked(&rq, "Basic YTpi", 1500, ""), ERR_NO_TOKEN);
	assert_err(checked(&rq, "Bearer a b", 1500, ""), ERR_TOKEN_REQUEST);
	assert_err(checked(&rq, "Bearer abc", 1500, ""), ERR_BAD_TOKEN);
	assert_err(checked(&rq, "Bearer a.b.c", 1500, ""), ERR_BAD_TOKEN);
	assert_false(rq.authenticated);
}

static void a_token_after_exp_is_expired(void **state)
{
	const char *authorization = bearing(&ann);
	struct request rq;

	(void)state;
	assert_ok(checked(&rq, authorization, 1899, ""));
	assert_err(checked(&rq, authorization, 1900, ""), ERR_EXPIRED);
	assert_false(rq.authenticated);
}

static void the_answer_to_an_early_token_says_by_how_much_clocks_differ(
	void **state)
{
	const char *authorization = bearing(&ann);
	struct response rs = { .why = { "" } };
	struct request rq;

	(void)state;
	assert_ok(checked(&rq, authorization, 940, ""));
	assert_err(checked(&rq, authorization, 880, ""), ERR_NOT_YET);
	assert_false(rq.authenticated);
	assert_err(bearer_explain(&rq, &rs, ERR_NOT_YET), ERR_NOT_YET);
	assert_contains(rs.detail, "not valid yet");
	assert_contains(rs.detail, "120 seconds");
	assert_contains(rs.why.text, "120 seconds");
	assert_contains(rs.why.text, "clock");
}

static void other_errors_of_a_token_are_not_explained_by_clocks(void **state)
{
	struct response rs = { .why = { "" } };
	struct request rq = { .now = 1 };

	(void)state;
	assert_err(bearer_explain(&rq, &rs, ERR_EXPIRED), ERR_EXPIRED);
	assert_ok(bearer_explain(&rq, &rs, ERR_OK));
	assert_string_equal(rs.detail, "");
	assert_string_equal(rs.why.text, "");
}

static void a_changed_token_is_not_genuine(void **state)
{
	struct request rq;

	(void)state;
	(void)bearing(&ann);
	header[strlen(header) - 10] ^= 1;
	assert_err(checked(&rq, header, 1500, ""), ERR_BAD_TOKEN);
	(void)bearing(&ann);
	header[60] ^= 1;
	assert_err(checked(&rq, header, 1500, ""), ERR_BAD_TOKEN);
}

static void a_scope_matches_only_a_whole_word_of_the_token(void **state)
{
	const char *authorization = bearing(&ann);
	struct request rq;

	(void)state;
	assert_ok(checked(&rq, authorization, 1500, "files:read"));
	assert_ok(checked(&rq, authorization, 1500, ""));
	assert_err(checked(&rq, authorization, 1500, "files:write"), ERR_SCOPE);
	/* the user is known for the log in any case */
	assert_true(rq.authenticated);
	assert_err(checked(&rq, authorization, 1500, "files"), ERR_SCOPE);
	assert_err(checked(&rq, authorization, 1500, "admin"), ERR_SCOPE);
}

static void the_admin_flag_grants_no_scope(void **state)
{
	struct claims c = ann;
	struct request rq;

	(void)state;
	c.admin = true;
	c.scope[0] = '\0';
	assert_err(checked(&rq, bearing(&c), 1500, "files:read"), ERR_SCOPE);
	assert_true(rq.claims.admin);
}

/* --- API tokens ---------------------------------------------------------- */

#define SESSION "AAECAwQFBgcICQoLDA0ODw"
#define SECRET "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"

static void an_api_token_is_parsed_and_not_yet_checked(void **state)
{
	struct request rq;
	unsigned char hash[SHA256_LEN];

	(void)state;
	/* its scope is in the table, so it is not checked here */
	assert_ok(checked(&rq, "Bearer gh_" SESSION "_" SECRET, 1500,
			  "files:read"));
	assert_false(rq.authenticated);
	assert_true(rq.bearer_id.api);
	assert_string_equal(rq.bearer_id.session, SESSION);
	sha256_of(SPAN(SECRET), hash);
	assert_memory_equal(rq.bearer_id.secret, hash, SHA256_LEN);
	assert_int_equal(rq.claims.user_id, 0);
}

static void a_cut_api_token_is_not_genuine(void **state)
{
	static const char *const wrong[] = {
		"Bearer gh_",
		"Bearer gh_" SESSION,
		"Bearer gh_" SESSION "_",
		"Bearer gh_" SESSION "_" SECRET "A",
		"Bearer gh_" SESSION "-" SECRET,
		"Bearer gh_" SESSION "." SECRET,
		"Bearer GH_" SESSION "_" SECRET,
		"Bearer ghr_" SECRET,
	};
	struct request rq;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		assert_err(checked(&rq, wrong[i], 1500, ""), ERR_BAD_TOKEN);
		assert_string_equal(rq.bearer_id.session, "");
		assert_false(rq.bearer_id.api);
	}
}

static void an_access_token_clears_the_fields_of_an_api_token(void **state)
{
	struct bearer_id c;
	struct claims claims;
	struct span token;

	(void)state;
	memset(&c, 0x55, sizeof(c));
	assert_ok(bearer_token(span_of(bearing(&ann)), &token));
	assert_ok(bearer_verify(token, keys, &rules, 1500, &c, &claims));
	assert_false(c.api);
	assert_string_equal(c.session, ann.session);
}

/* --- keys that change ---------------------------------------------------- */

static struct span token_by(const char *ring, struct buf *b)
{
	buf_clear(b);
	key_text_sign(ring, &ann, b);
	return buf_span(b);
}

static enum err verified(struct span token, struct keyring_file *by,
			 int64_t now)
{
	struct bearer_id c, d;
	struct claims first, second;
	enum err e = bearer_verify(token, by, &rules, now, &c, &first);

	/* The second time it may come from memory, and is the same */
	assert_err(bearer_verify(token, by, &rules, now, &d, &second), e);
	if (e == ERR_OK) {
		assert_int_equal(first.user_id, second.user_id);
		assert_string_equal(first.scope, second.scope);
		assert_string_equal(c.session, d.session);
	}
	return e;
}

static void a_remembered_token_is_checked_against_the_clock(void **state)
{
	const char *authorization = bearing(&ann);
	struct request rq;

	(void)state;
	assert_ok(checked(&rq, authorization, 1500, "files:read"));
	assert_err(checked(&rq, authorization, 1500, "files:write"), ERR_SCOPE);
	assert_err(checked(&rq, authorization, 880, ""), ERR_NOT_YET);
	assert_ok(checked(&rq, authorization, 1899, ""));
	assert_err(checked(&rq, authorization, 1900, ""), ERR_EXPIRED);
	header[strlen(header) - 10] ^= 1;
	assert_err(checked(&rq, header, 1500, ""), ERR_BAD_TOKEN);
}

static void a_key_only_in_the_new_file_is_used_at_once(void **state)
{
	struct key_file file;
	struct keyring_file *follows = NULL;
	struct buf b;

	(void)state;
	buf_init(&b, JWT_TOKEN_MAX);
	key_file_make(&file, KEY_A);
	assert_ok(keyring_file_open(file.path, &follows, NULL));
	if (remembers)
		keyring_file_remember(follows);
	assert_ok(verified(token_by(KEY_A, &b), follows, 1500));
	assert_err(verified(token_by(KEY_B, &b), follows, 1500), ERR_BAD_TOKEN);
	key_file_replace(&file, KEY_A_RETIRES KEY_B);
	/* in the same second */
	assert_ok(verified(token_by(KEY_B, &b), follows, 1500));
	assert_ok(verified(token_by(KEY_A, &b), follows, 1500));
	key_file_replace(&file, KEY_A_RETIRES KEY_B KEY_C);
	assert_ok(verified(token_by(KEY_C, &b), follows, 1500));
	/* a removed key is refused after the next reload */
	key_file_replace(&file, KEY_C);
	assert_err(verified(token_by(KEY_B, &b), follows, 1501), ERR_BAD_TOKEN);
	assert_ok(verified(token_by(KEY_C, &b), follows, 1501));
	keyring_file_close(follows);
	key_file_remove(&file);
	buf_release(&b);
}

static void a_token_is_refused_from_the_second_its_key_retires(void **state)
{
	static const char ring[] =
		"key-a 1000 1600 "
		"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n" KEY_B;
	struct key_file file;
	struct keyring_file *follows = NULL;
	struct buf b;

	(void)state;
	buf_init(&b, JWT_TOKEN_MAX);
	key_file_make(&file, ring);
	assert_ok(keyring_file_open(file.path, &follows, NULL));
	if (remembers)
		keyring_file_remember(follows);
	assert_ok(verified(token_by(KEY_A, &b), follows, 1599));
	assert_err(verified(token_by(KEY_A, &b), follows, 1600), ERR_BAD_TOKEN);
	keyring_file_close(follows);
	key_file_remove(&file);
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_token_follows_bearer_and_a_blank),
		TEST(another_scheme_has_no_token),
		TEST(bearer_without_a_b64token_is_malformed),
		TEST(a_valid_token_fills_the_claims),
		TEST(a_missing_token_differs_from_an_invalid_one),
		TEST(a_token_after_exp_is_expired),
		TEST(the_answer_to_an_early_token_says_by_how_much_clocks_differ),
		TEST(other_errors_of_a_token_are_not_explained_by_clocks),
		TEST(a_changed_token_is_not_genuine),
		TEST(a_scope_matches_only_a_whole_word_of_the_token),
		TEST(the_admin_flag_grants_no_scope),
		TEST(an_api_token_is_parsed_and_not_yet_checked),
		TEST(a_cut_api_token_is_not_genuine),
		TEST(an_access_token_clears_the_fields_of_an_api_token),
		TEST(a_remembered_token_is_checked_against_the_clock),
		TEST(a_key_only_in_the_new_file_is_used_at_once),
		TEST(a_token_is_refused_from_the_second_its_key_retires),
	};
	int failed;

	if (sodium_init() < 0 ||
	    keyring_file_fixed(SPAN("Zt9!kQ2#vL7@xN4$bR8%mW1^pS6&cF3*"), &keys,
			       NULL) != ERR_OK)
		return 1;
	failed = RUN(tests);
	remembers = true;
	keyring_file_remember(keys);
	failed += RUN(tests);
	keyring_file_close(keys);
	return failed;
}
