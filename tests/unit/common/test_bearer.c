#include "bearer.h"
#include "transport_memory.h"
#include "unit.h"

#include <sodium.h>
#include <stdlib.h>

static struct keyring ring;
static const struct jwt_rules rules = { "gatehouse", "" };
static char header[4096];

static struct claims ann = {
	.user_id = 42,
	.email = "ann@example.org",
	.scope = "files:read",
	.issuer = "gatehouse",
	.token_id = "abc-123",
	.issued_at = 1000,
	.not_before = 1000,
	.expires_at = 1900,
};

static enum err token_of(const char *authorization, struct span *out)
{
	return bearer_token(span_of(authorization), out);
}

static void a_token_stands_behind_bearer_and_a_blank(void **state)
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

static void another_scheme_is_no_token(void **state)
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

static void bearer_without_a_b64token_makes_no_sense(void **state)
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

/* What the check says of `authorization`, at second `now` */
static enum err checked(struct request *rq, const char *authorization,
			int64_t now, const char *scope)
{
	struct memory m;
	enum err e;

	memory_init(&m, "GET", "/files");
	memory_set(&m, "HTTP_AUTHORIZATION", authorization);
	*rq = (struct request) { .transport = &m.base, .now = now };
	e = bearer_check(rq, &ring, &rules, scope);
	rq->transport = NULL;
	memory_release(&m);
	return e;
}

/* "Bearer " and a token for `c`, in `header` */
static const char *bearing(const struct claims *c)
{
	struct buf b;

	buf_init(&b, sizeof(header) - 1);
	buf_add_str(&b, "Bearer ");
	assert_ok(jwt_sign(c, &ring, &b));
	assert_true(span_to_cstr(buf_span(&b), header, sizeof(header)));
	buf_release(&b);
	return header;
}

static void a_good_token_tells_who_asks(void **state)
{
	struct request rq;

	(void)state;
	assert_ok(checked(&rq, bearing(&ann), 1500, "files:read"));
	assert_true(rq.authenticated);
	assert_int_equal(rq.claims.user_id, 42);
	assert_string_equal(rq.claims.email, "ann@example.org");
}

static void no_token_is_not_the_same_as_a_bad_one(void **state)
{
	struct request rq;

	(void)state;
	assert_err(checked(&rq, NULL, 1500, ""), ERR_NO_TOKEN);
	assert_err(checked(&rq, "Basic YTpi", 1500, ""), ERR_NO_TOKEN);
	assert_err(checked(&rq, "Bearer a b", 1500, ""), ERR_TOKEN_REQUEST);
	assert_err(checked(&rq, "Bearer abc", 1500, ""), ERR_AUTH);
	assert_err(checked(&rq, "Bearer a.b.c", 1500, ""), ERR_AUTH);
	assert_false(rq.authenticated);
}

static void a_token_out_of_its_time_is_expired(void **state)
{
	const char *authorization = bearing(&ann);
	struct request rq;

	(void)state;
	assert_ok(checked(&rq, authorization, 1899, ""));
	assert_err(checked(&rq, authorization, 1900, ""), ERR_EXPIRED);
	assert_err(checked(&rq, authorization, 999, ""), ERR_EXPIRED);
	assert_false(rq.authenticated);
}

static void a_changed_token_is_not_genuine(void **state)
{
	struct request rq;

	(void)state;
	(void)bearing(&ann);
	header[strlen(header) - 10] ^= 1;
	assert_err(checked(&rq, header, 1500, ""), ERR_AUTH);
	(void)bearing(&ann);
	header[60] ^= 1;
	assert_err(checked(&rq, header, 1500, ""), ERR_AUTH);
}

static void a_scope_is_a_whole_word_of_the_tokens(void **state)
{
	const char *authorization = bearing(&ann);
	struct request rq;

	(void)state;
	assert_ok(checked(&rq, authorization, 1500, "files:read"));
	assert_ok(checked(&rq, authorization, 1500, ""));
	assert_err(checked(&rq, authorization, 1500, "files:write"), ERR_SCOPE);
	/* who it is may stand in the log all the same */
	assert_true(rq.authenticated);
	assert_err(checked(&rq, authorization, 1500, "files"), ERR_SCOPE);
	assert_err(checked(&rq, authorization, 1500, "admin"), ERR_SCOPE);
}

static void an_admin_flag_gives_no_scope(void **state)
{
	struct claims c = ann;
	struct request rq;

	(void)state;
	c.admin = true;
	c.scope[0] = '\0';
	assert_err(checked(&rq, bearing(&c), 1500, "files:read"), ERR_SCOPE);
	assert_true(rq.claims.admin);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_token_stands_behind_bearer_and_a_blank),
		TEST(another_scheme_is_no_token),
		TEST(bearer_without_a_b64token_makes_no_sense),
		TEST(a_good_token_tells_who_asks),
		TEST(no_token_is_not_the_same_as_a_bad_one),
		TEST(a_token_out_of_its_time_is_expired),
		TEST(a_changed_token_is_not_genuine),
		TEST(a_scope_is_a_whole_word_of_the_tokens),
		TEST(an_admin_flag_gives_no_scope),
	};
	int failed;

	if (sodium_init() < 0 ||
	    keyring_from_secret(SPAN("Zt9!kQ2#vL7@xN4$bR8%mW1^pS6&cF3*"), &ring,
				NULL) != ERR_OK)
		return 1;
	failed = RUN(tests);
	keyring_release(&ring);
	return failed;
}
