#include "cgi-gateway/parse/digest_field.h"
#include "common/codec/encode.h"
#include "tests/unit/unit.h"

/* RFC 9530 appendix B: {"hello": "world"} and its newline */
#define HELLO "{\"hello\": \"world\"}\n"
#define HELLO_B64 "RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg="
#define HELLO_512                                                 \
	"sha-512=:YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4yP+" \
	"pgk4vf2aCsyRZOtw8MjkM7iw7yZ/WkppmM44T3qg==:"

static void check(const char *field)
{
	unsigned char got[SHA256_LEN], want[SHA256_LEN];

	sha256_of(SPAN(HELLO), want);
	memset(got, 0, sizeof(got));
	assert_ok(digest_field_parse(span_of(field), got));
	assert_memory_equal(got, want, SHA256_LEN);
}

static void check_not(const char *field, enum err why)
{
	unsigned char got[SHA256_LEN] = { 7 };

	assert_err(digest_field_parse(span_of(field), got), why);
	assert_int_equal(got[0], 7);
}

static void the_examples_of_rfc_9530_are_parsed(void **state)
{
	(void)state;
	/* appendix B.1 and 2, 3 */
	check("sha-256=:" HELLO_B64 ":");
	check("sha-256=:" HELLO_B64 ":," HELLO_512);
	check(HELLO_512 ", sha-256=:" HELLO_B64 ":");
}

static void blanks_around_members_are_allowed(void **state)
{
	(void)state;
	check("  sha-256=:" HELLO_B64 ":  ");
	check(HELLO_512 " ,\tsha-256=:" HELLO_B64 ":");
}

static void parameters_of_a_member_are_skipped(void **state)
{
	(void)state;
	check("sha-256=:" HELLO_B64 ":;p=1;q");
	check("sha-256=:" HELLO_B64 ":;p=\"a, sha-256=x\\\", b;\";q");
	check("md5=:AA==:;p=\"x, sha-256=:AAAA:\", sha-256=:" HELLO_B64 ":");
}

static void the_last_of_two_members_with_one_key_counts(void **state)
{
	/* RFC 8941 3.2 */
	const char *other =
		"sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:";
	char field[256];
	unsigned char got[SHA256_LEN], want[SHA256_LEN];

	(void)state;
	(void)snprintf(field, sizeof(field), "%s, sha-256=:" HELLO_B64 ":",
		       other);
	check(field);
	(void)snprintf(field, sizeof(field), "sha-256=:" HELLO_B64 ":, %s",
		       other);
	sha256_of(SPAN(""), want);
	assert_ok(digest_field_parse(span_of(field), got));
	assert_memory_equal(got, want, SHA256_LEN);
	check_not("sha-256=:" HELLO_B64 ":, sha-256=x", ERR_FORMAT);
}

static void other_algorithms_are_skipped(void **state)
{
	(void)state;
	check_not("", ERR_NOT_FOUND);
	check_not(HELLO_512, ERR_NOT_FOUND);
	check_not(" , ,", ERR_NOT_FOUND);
	check_not("a=1, *b_c-d.9*=:AA==:", ERR_NOT_FOUND);
	check_not("md5=:CY9rzUYh03PK3k6DJie09g==:, unixsum=:GQU=:",
		  ERR_NOT_FOUND);
	check_not("sha-256x=:" HELLO_B64 ":", ERR_NOT_FOUND);
	assert_err(digest_field_parse((struct span) { NULL, 0 },
				      (unsigned char[SHA256_LEN]) { 0 }),
		   ERR_NOT_FOUND);
}

static void an_invalid_algorithm_is_not_skipped(void **state)
{
	(void)state;
	check_not("SHA-256=:" HELLO_B64 ":", ERR_FORMAT);
	check_not("sha-256=:" HELLO_B64 ":, SHA-512=:AAAA:", ERR_FORMAT);
	check_not("=:" HELLO_B64 ":", ERR_FORMAT);
	check_not("-sha-256=:" HELLO_B64 ":", ERR_FORMAT);
	check_not("9=:" HELLO_B64 ":", ERR_FORMAT);
	check_not("md5", ERR_FORMAT);
	check_not(HELLO_B64, ERR_FORMAT);
	check_not("@", ERR_FORMAT);
	check_not("\"", ERR_FORMAT);
	check_not("\"\\", ERR_FORMAT);
}

static void a_digest_of_another_length_is_refused(void **state)
{
	(void)state;
	check_not("sha-256", ERR_FORMAT);
	check_not("sha-256;p=1", ERR_FORMAT);
	check_not("sha-256=", ERR_FORMAT);
	check_not("sha-256=:", ERR_FORMAT);
	check_not("sha-256=::", ERR_FORMAT);
	check_not("sha-256=" HELLO_B64, ERR_FORMAT);
	check_not("sha-256=:" HELLO_B64, ERR_FORMAT);
	check_not("sha-256=" HELLO_B64 ":", ERR_FORMAT);
	check_not("sha-256=\"" HELLO_B64 "\"", ERR_FORMAT);
	check_not("sha-256=:AAAA:", ERR_FORMAT);
	/* 33 bytes */
	check_not("sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA:",
		  ERR_FORMAT);
	/* 31 bytes */
	check_not("sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==:",
		  ERR_FORMAT);
	/* hex */
	check_not("sha-256=:44aff4ab2d7c3250525675a08f0cfa959116"
		  "8cffe51791c5f5bbc417c15a6c38:",
		  ERR_FORMAT);
	/* base64url */
	check_not("sha-256=:RK_0qy18MlBSVnWgjwz6lZEWjP_lF5HF9bvEF8FabDg=:",
		  ERR_FORMAT);
}

static void a_written_field_is_parsed_back(void **state)
{
	unsigned char sum[SHA256_LEN];
	struct buf b;

	(void)state;
	sha256_of(SPAN(HELLO), sum);
	buf_init(&b, 256);
	digest_field_write(sum, &b);
	assert_ok(buf_error(&b));
	assert_span(buf_span(&b), "sha-256=:" HELLO_B64 ":");
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_examples_of_rfc_9530_are_parsed),
		TEST(blanks_around_members_are_allowed),
		TEST(parameters_of_a_member_are_skipped),
		TEST(the_last_of_two_members_with_one_key_counts),
		TEST(other_algorithms_are_skipped),
		TEST(an_invalid_algorithm_is_not_skipped),
		TEST(a_digest_of_another_length_is_refused),
		TEST(a_written_field_is_parsed_back),
	};

	return RUN(tests);
}
