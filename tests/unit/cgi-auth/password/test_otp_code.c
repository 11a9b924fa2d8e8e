#include "tests/unit/unit.h"

#include "cgi-auth/password/otp_code.h"

static void codes_are_those_of_rfc_6238(void **state)
{
	/* Appendix B, SHA1, cut to six digits */
	static const struct {
		int64_t time;
		const char *code;
	} vectors[] = {
		{ 59, "287082" },	  { 1111111109, "081804" },
		{ 1111111111, "050471" }, { 1234567890, "005924" },
		{ 2000000000, "279037" }, { 20000000000, "353130" },
	};
	static const unsigned char secret[] = "12345678901234567890";
	char code[OTP_DIGITS + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		assert_ok(otp_code(secret, vectors[i].time / OTP_STEP, code));
		assert_string_equal(code, vectors[i].code);
	}
}

static void the_uri_has_all_that_an_authenticator_needs(void **state)
{
	struct otp_secret s = { "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP" };
	struct buf b;

	(void)state;
	buf_init(&b, OTP_URI_MAX);
	otp_uri(&s, "my house", "a+b@example.org", &b);
	assert_span_str(buf_span(&b),
			"otpauth://totp/my%20house:a%2Bb%40example.org"
			"?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
			"&issuer=my%20house&algorithm=SHA1&digits=6&period=30");
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(codes_are_those_of_rfc_6238),
		TEST(the_uri_has_all_that_an_authenticator_needs),
	};

	return RUN(tests);
}
