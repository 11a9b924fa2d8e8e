#include "common/codec/json.h"
#include "common/token/claims.h"
#include "tests/unit/unit.h"

#define SID "\"sid\":\"AAAAAAAAAAAAAAAAAAAAAA\""
#define UNNAMED                                                   \
	"\"iss\":\"gatehouse\",\"username\":\"ann@example.org\"," \
	"\"scope\":\"files:read\",\"exp\":2000,\"jti\":\"id\""
#define REQUIRED UNNAMED "," SID

static const struct claims ann = {
	.user_id = 42,
	.email = "ann@example.org",
	.scope = "files:read files:write",
	.issuer = "gatehouse",
	.audience = "files",
	.token_id = "abc-123",
	.session = "AAAAAAAAAAAAAAAAAAAAAA",
	.admin = true,
	.issued_at = 1000,
	.not_before = 1001,
	.expires_at = 1900,
};

static void assert_refused(struct span json)
{
	struct claims c;

	memset(&c, 0x55, sizeof(c));
	if (claims_parse(json, &c) == ERR_OK)
		print_error("taken: %.*s\n", SPAN_ARG(json));
	assert_err(claims_parse(json, &c), ERR_FORMAT);
	for (size_t i = 0; i < sizeof(c); i++)
		assert_int_equal(((unsigned char *)&c)[i], 0x55);
}

static void written_claims_are_read_back_unchanged(void **state)
{
	struct claims c;
	struct buf b;

	(void)state;
	memset(&c, 0, sizeof(c));
	buf_init(&b, CLAIMS_JSON_MAX);
	claims_write(&ann, &b);
	assert_ok(buf_error(&b));
	assert_ok(claims_parse(buf_span(&b), &c));
	assert_int_equal(c.user_id, ann.user_id);
	assert_string_equal(c.email, ann.email);
	assert_string_equal(c.scope, ann.scope);
	assert_string_equal(c.issuer, ann.issuer);
	assert_string_equal(c.audience, ann.audience);
	assert_string_equal(c.token_id, ann.token_id);
	assert_string_equal(c.session, ann.session);
	assert_true(c.admin);
	assert_int_equal(c.issued_at, ann.issued_at);
	assert_int_equal(c.not_before, ann.not_before);
	assert_int_equal(c.expires_at, ann.expires_at);
	buf_release(&b);
}

static void the_members_are_those_of_the_contract(void **state)
{
	struct claims c = ann;
	struct buf b;

	(void)state;
	c.audience[0] = '\0';
	buf_init(&b, CLAIMS_JSON_MAX);
	claims_write(&c, &b);
	assert_span(buf_span(&b),
		    "{\"iss\":\"gatehouse\",\"sub\":\"42\","
		    "\"username\":\"ann@example.org\",\"admin\":true,"
		    "\"scope\":\"files:read files:write\",\"iat\":1000,"
		    "\"nbf\":1001,\"exp\":1900,\"jti\":\"abc-123\"," SID "}");
	buf_release(&b);
}

static void the_longest_texts_still_fit(void **state)
{
	struct claims c = ann, back;
	struct buf b;

	(void)state;
	memset(c.email, 'e', CLAIMS_EMAIL_MAX);
	memset(c.scope, 's', CLAIMS_SCOPE_MAX);
	memset(c.issuer, 'i', CLAIMS_ISSUER_MAX);
	memset(c.audience, 'a', CLAIMS_ISSUER_MAX);
	memset(c.token_id, 't', CLAIMS_ID_MAX);
	c.user_id = INT64_MAX;
	buf_init(&b, CLAIMS_JSON_MAX);
	claims_write(&c, &b);
	assert_ok(buf_error(&b));
	assert_ok(claims_parse(buf_span(&b), &back));
	assert_string_equal(back.email, c.email);
	assert_int_equal(back.user_id, INT64_MAX);
	buf_release(&b);
}

static void a_missing_optional_member_has_its_default(void **state)
{
	struct claims c;

	(void)state;
	assert_ok(claims_parse(SPAN("{\"sub\":\"7\"," REQUIRED "}"), &c));
	assert_int_equal(c.user_id, 7);
	assert_false(c.admin);
	assert_string_equal(c.audience, "");
	assert_int_equal(c.issued_at, 0);
	assert_int_equal(c.not_before, 0);
	assert_ok(claims_parse(SPAN("{\"sub\":\"7\",\"iat\":500," REQUIRED "}"),
			       &c));
	assert_int_equal(c.not_before, 500);
}

static void unknown_members_are_ignored(void **state)
{
	struct claims c;

	(void)state;
	assert_ok(claims_parse(SPAN("{\"sub\":\"7\",\"x\":[1,{\"y\":null}],"
				    "\"SUB\":\"8\"," REQUIRED "}"),
			       &c));
	assert_int_equal(c.user_id, 7);
}

static void a_missing_required_member_is_refused(void **state)
{
	(void)state;
	assert_refused(SPAN("{}"));
	assert_refused(SPAN("{" REQUIRED "}"));
	assert_refused(SPAN("{\"sub\":\"7\",\"username\":\"a\",\"scope\":\"\","
			    "\"exp\":1,\"jti\":\"\"," SID "}"));
	assert_refused(SPAN("{\"sub\":\"7\",\"iss\":\"\",\"scope\":\"\","
			    "\"exp\":1,\"jti\":\"\"," SID "}"));
	assert_refused(SPAN("{\"sub\":\"7\",\"iss\":\"\",\"username\":\"a\","
			    "\"exp\":1,\"jti\":\"\"," SID "}"));
	assert_refused(SPAN("{\"sub\":\"7\",\"iss\":\"\",\"username\":\"a\","
			    "\"scope\":\"\",\"jti\":\"\"," SID "}"));
	assert_refused(SPAN("{\"sub\":\"7\",\"iss\":\"\",\"username\":\"a\","
			    "\"scope\":\"\",\"exp\":1," SID "}"));
}

static void a_session_has_a_valid_id(void **state)
{
	static const char *const wrong[] = {
		"\"x\":1",
		"\"sid\":1",
		"\"sid\":null",
		"\"sid\":[\"a\"]",
		"\"sid\":\"a\\u0000b\"",
		"\"sid\":\"a\\r\\nb\"",
		"\"sid\":\"\xc3\xa9\"",
		"\"sid\":\"\\u00e9\"",
		"\"sid\":\"a\",\"sid\":\"b\"",
		"\"sid\":\"01234567890123456789012345678901234567890123456789"
		"01234567890123\"",
	};
	struct claims c;
	char text[512];

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		(void)snprintf(text, sizeof(text),
			       "{\"sub\":\"7\",%s," UNNAMED "}", wrong[i]);
		assert_refused(span_of(text));
	}
	assert_ok(claims_parse(SPAN("{\"sub\":\"7\"," REQUIRED "}"), &c));
	assert_string_equal(c.session, "AAAAAAAAAAAAAAAAAAAAAA");
}

static void a_user_id_has_one_spelling(void **state)
{
	static const char *const wrong[] = {
		"0",
		"007",
		"-1",
		"+1",
		" 1",
		"1 ",
		"1.0",
		"1e1",
		"0x1",
		"",
		"abc",
		"9223372036854775808",
		"99999999999999999999999999",
		"1\\u0000",
		"\\u0661",
		"1,2",
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		(void)snprintf(text, sizeof(text),
			       "{\"sub\":\"%s\"," REQUIRED "}", wrong[i]);
		assert_refused(span_of(text));
	}
	assert_refused(SPAN("{\"sub\":7," REQUIRED "}"));
	assert_refused(SPAN("{\"sub\":null," REQUIRED "}"));
	assert_refused(SPAN("{\"sub\":[\"7\"]," REQUIRED "}"));
}

static void a_member_of_another_type_is_refused(void **state)
{
	static const char *const wrong[] = {
		"\"admin\":1",
		"\"admin\":\"true\"",
		"\"admin\":null",
		"\"aud\":1",
		"\"aud\":null",
		"\"aud\":[]",
		"\"aud\":[1]",
		"\"aud\":[\"a\",\"b\"]",
		"\"aud\":{}",
		"\"aud\":[null]",
		"\"iat\":\"1\"",
		"\"iat\":1.5",
		"\"iat\":null",
		"\"iat\":-1",
		"\"nbf\":-1",
		"\"nbf\":\"1\"",
		"\"nbf\":9223372036854775808",
		"\"exp\":3000",
		"\"iss\":\"gatehouse\"",
	};
	struct claims c;
	char text[512];

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		(void)snprintf(text, sizeof(text),
			       "{\"sub\":\"7\",%s," REQUIRED "}", wrong[i]);
		assert_refused(span_of(text));
	}
	assert_refused(SPAN("{\"sub\":\"7\",\"username\":\"a\",\"scope\":\"\","
			    "\"iss\":\"\",\"exp\":-1,\"jti\":\"\"," SID "}"));
	assert_ok(claims_parse(SPAN("{\"sub\":\"7\",\"username\":\"a\","
				    "\"scope\":\"\",\"iss\":\"\",\"exp\":0,"
				    "\"jti\":\"\"," SID "}"),
			       &c));
}

static void an_audience_is_a_text_or_a_list_with_one_text(void **state)
{
	struct claims c;

	(void)state;
	assert_ok(claims_parse(
		SPAN("{\"sub\":\"7\",\"aud\":\"files\"," REQUIRED "}"), &c));
	assert_string_equal(c.audience, "files");
	assert_ok(claims_parse(
		SPAN("{\"sub\":\"7\",\"aud\":[\"files\"]," REQUIRED "}"), &c));
	assert_string_equal(c.audience, "files");
}

static void control_characters_and_bad_utf8_are_refused(void **state)
{
	(void)state;
	assert_refused(SPAN("{\"sub\":\"7\",\"iss\":\"\",\"username\":"
			    "\"a\\r\\nX-Auth-User: root\",\"scope\":\"\","
			    "\"exp\":1,\"jti\":\"\"," SID "}"));
	assert_refused(
		SPAN("{\"sub\":\"7\",\"iss\":\"\",\"username\":\"a\xff\","
		     "\"scope\":\"\",\"exp\":1,\"jti\":\"\"," SID "}"));
}

static void an_email_of_256_bytes_is_refused(void **state)
{
	char text[1024], email[257];
	struct claims c;

	(void)state;
	memset(email, 'e', sizeof(email));
	email[255] = '\0';
	(void)snprintf(text, sizeof(text),
		       "{\"sub\":\"7\",\"iss\":\"\",\"username\":\"%s\","
		       "\"scope\":\"\",\"exp\":1,\"jti\":\"\"," SID "}",
		       email);
	assert_ok(claims_parse(span_of(text), &c));
	email[255] = 'e';
	email[256] = '\0';
	(void)snprintf(text, sizeof(text),
		       "{\"sub\":\"7\",\"iss\":\"\",\"username\":\"%s\","
		       "\"scope\":\"\",\"exp\":1,\"jti\":\"\"," SID "}",
		       email);
	assert_refused(span_of(text));
}

static void an_oversized_text_is_refused_unread(void **state)
{
	char text[CLAIMS_JSON_MAX + 2];
	struct claims c;
	int n = snprintf(text, sizeof(text), "{\"sub\":\"7\"," REQUIRED "}");

	(void)state;
	memset(text + n, ' ', sizeof(text) - (size_t)n);
	assert_ok(claims_parse((struct span) { text, CLAIMS_JSON_MAX }, &c));
	assert_refused((struct span) { text, CLAIMS_JSON_MAX + 1 });
}

static void a_valid_head_has_the_name_of_its_key(void **state)
{
	static const char *const right[] = {
		"{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"k1\"}",
		"{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"k1\"}",
		"{\"alg\":\"HS256\",\"typ\":\"jwt\",\"kid\":\"k1\"}",
		"{\"alg\":\"HS256\",\"typ\":\"AT+JWT\",\"kid\":\"k1\"}",
		"{\"alg\":\"HS256\",\"typ\":\"application/at+jwt\","
		"\"kid\":\"k1\"}",
		"{\"kid\":\"k1\",\"alg\":\"HS256\",\"x5u\":\"http://a\"}",
	};
	char kid[KID_MAX + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(right); i++) {
		kid[0] = '\0';
		assert_ok(claims_parse_head(span_of(right[i]), kid));
		assert_string_equal(kid, "k1");
	}
}

static void any_algorithm_but_hs256_is_not_genuine(void **state)
{
	static const char *const algs[] = {
		"\"none\"",
		"\"None\"",
		"\"HS384\"",
		"\"HS512\"",
		"\"RS256\"",
		"\"hs256\"",
		"\"HS256 \"",
		"\"\"",
		"null",
		"[\"HS256\"]",
		"256",
		"true",
		"\"HS256HS256HS256HS256\"",
	};
	char text[128], kid[KID_MAX + 1] = "old";

	(void)state;
	for (size_t i = 0; i < COUNT(algs); i++) {
		(void)snprintf(text, sizeof(text),
			       "{\"alg\":%s,\"typ\":\"JWT\",\"kid\":\"k1\"}",
			       algs[i]);
		assert_err(claims_parse_head(span_of(text), kid),
			   ERR_BAD_TOKEN);
	}
	assert_err(claims_parse_head(SPAN("{\"kid\":\"k1\"}"), kid),
		   ERR_BAD_TOKEN);
	assert_string_equal(kid, "old");
}

static void a_malformed_head_is_refused(void **state)
{
	static const char *const wrong[] = {
		"{\"alg\":\"HS256\"}",
		"{\"alg\":\"HS256\",\"kid\":null}",
		"{\"alg\":\"HS256\",\"kid\":1}",
		"{\"alg\":\"HS256\",\"kid\":[\"k1\"]}",
		"{\"alg\":\"HS256\",\"kid\":\"k1\\u0000\"}",
		"{\"alg\":\"HS256\",\"kid\":\"k1\\n\"}",
		"{\"alg\":\"HS256\",\"kid\":\"k1\",\"crit\":[\"exp\"]}",
		"{\"alg\":\"HS256\",\"kid\":\"k1\",\"crit\":null}",
		"{\"alg\":\"HS256\",\"kid\":\"k1\",\"typ\":\"JOSE\"}",
		"{\"alg\":\"HS256\",\"kid\":\"k1\",\"typ\":null}",
		"{\"alg\":\"HS256\",\"kid\":\"k1\",\"typ\":1}",
		"{\"alg\":\"none\",\"alg\":\"HS256\",\"kid\":\"k1\"}",
		"{\"alg\":\"HS256\",\"kid\":\"k1\"}x",
		"[\"HS256\"]",
		"",
	};
	char kid[KID_MAX + 1] = "old";

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_err(claims_parse_head(span_of(wrong[i]), kid),
			   ERR_FORMAT);
	assert_string_equal(kid, "old");
}

static void a_key_name_of_63_bytes_is_the_longest(void **state)
{
	char text[128], name[KID_MAX + 2], kid[KID_MAX + 1] = "old";

	(void)state;
	memset(name, 'k', sizeof(name));
	name[KID_MAX + 1] = '\0';
	(void)snprintf(text, sizeof(text), "{\"alg\":\"HS256\",\"kid\":\"%s\"}",
		       name);
	assert_err(claims_parse_head(span_of(text), kid), ERR_FORMAT);
	assert_string_equal(kid, "old");
	name[KID_MAX] = '\0';
	(void)snprintf(text, sizeof(text), "{\"alg\":\"HS256\",\"kid\":\"%s\"}",
		       name);
	assert_ok(claims_parse_head(span_of(text), kid));
	assert_string_equal(kid, name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(written_claims_are_read_back_unchanged),
		TEST(the_members_are_those_of_the_contract),
		TEST(the_longest_texts_still_fit),
		TEST(a_missing_optional_member_has_its_default),
		TEST(unknown_members_are_ignored),
		TEST(a_missing_required_member_is_refused),
		TEST(a_session_has_a_valid_id),
		TEST(a_user_id_has_one_spelling),
		TEST(a_member_of_another_type_is_refused),
		TEST(an_audience_is_a_text_or_a_list_with_one_text),
		TEST(control_characters_and_bad_utf8_are_refused),
		TEST(an_email_of_256_bytes_is_refused),
		TEST(an_oversized_text_is_refused_unread),
		TEST(a_valid_head_has_the_name_of_its_key),
		TEST(any_algorithm_but_hs256_is_not_genuine),
		TEST(a_malformed_head_is_refused),
		TEST(a_key_name_of_63_bytes_is_the_longest),
	};

	return RUN(tests);
}
