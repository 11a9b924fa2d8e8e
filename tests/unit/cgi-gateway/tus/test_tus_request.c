#include "cgi-gateway/tus/tus_receive.h"
#include "tests/unit/transport_memory.h"
#include "tests/unit/unit.h"

enum { NOW = 1767225600, MAX_UPLOAD = 1000 };

static struct memory memory;
static struct arena arena;
static struct request rq;
static struct response rs;

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena);
	memory_init(&memory, "PATCH", "/tus/x");
	memory_set(&memory, "CONTENT_TYPE", "application/offset+octet-stream");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	memory_release(&memory);
	arena_release(&arena);
	return 0;
}

static void begin_request(void)
{
	assert_ok(request_init(&rq, &memory.base, &arena, "cgi-gateway",
			       NOW * (int64_t)1000));
	response_init(&rs, &memory.base, false);
}

static enum err end_request(enum err e)
{
	assert_ok(memory.base.ops->finish(&memory.base));
	response_release(&rs);
	return e;
}

static enum err read_patch(struct tus_body *out)
{
	begin_request();
	return end_request(tus_patch_read(&rq, &rs, out));
}

static enum err read_creation(struct tus_upload *u)
{
	struct span parts = { NULL, 0 };

	*u = (struct tus_upload) { .id = "" };
	begin_request();
	return end_request(tus_creation_read(&rq, &rs, MAX_UPLOAD, u, &parts));
}

static enum err check_length(int64_t offset, int64_t length, int64_t of_row,
			     int64_t reserved)
{
	const struct tus_body body = { offset, length };
	struct tus_upload u = { .length = of_row,
				.reserved = { .bytes = reserved } };

	begin_request();
	return end_request(tus_length_check(&body, &u, MAX_UPLOAD, &rs));
}

/* --- PATCH ---------------------------------------------------------------- */

static void a_patch_has_an_offset_and_perhaps_a_length(void **state)
{
	struct tus_body body = { 7, 7 };

	(void)state;
	memory_set(&memory, "HTTP_UPLOAD_OFFSET", "5000000000");
	assert_ok(read_patch(&body));
	assert_int_equal(body.offset, 5000000000);
	assert_int_equal(body.length, TUS_LENGTH_UNKNOWN);
	memory_set(&memory, "HTTP_UPLOAD_LENGTH", "5000000001");
	memory_set(&memory, "CONTENT_TYPE",
		   "Application/Offset+Octet-Stream; x=y");
	assert_ok(read_patch(&body));
	assert_int_equal(body.length, 5000000001);
}

static void an_invalid_patch_leaves_the_output_unchanged(void **state)
{
	static const struct {
		const char *name, *value;
		enum err e;
	} bad[] = {
		{ "CONTENT_TYPE", "text/plain", ERR_MEDIA_TYPE },
		{ "CONTENT_TYPE", NULL, ERR_MEDIA_TYPE },
		{ "HTTP_UPLOAD_OFFSET", NULL, ERR_FORMAT },
		{ "HTTP_UPLOAD_OFFSET", "-1", ERR_FORMAT },
		{ "HTTP_UPLOAD_OFFSET", "1 ", ERR_FORMAT },
		{ "HTTP_UPLOAD_LENGTH", "0x5", ERR_FORMAT },
		{ "HTTP_UPLOAD_LENGTH", "9223372036854775808", ERR_FORMAT },
	};
	struct tus_body body = { 7, 8 };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		memory_set(&memory, "CONTENT_TYPE",
			   "application/offset+octet-stream");
		memory_set(&memory, "HTTP_UPLOAD_OFFSET", "1");
		memory_set(&memory, "HTTP_UPLOAD_LENGTH", "2");
		memory_set(&memory, bad[i].name, bad[i].value);
		assert_err(read_patch(&body), bad[i].e);
		assert_int_equal(body.offset, 7);
		assert_int_equal(body.length, 8);
	}
}

/* --- POST ----------------------------------------------------------------- */

static void a_creation_fills_the_row(void **state)
{
	struct tus_upload u;

	(void)state;
	memory_set(&memory, "HTTP_UPLOAD_LENGTH", "1000");
	memory_set(&memory, "HTTP_UPLOAD_CONCAT", "partial");
	memory_set(&memory, "HTTP_UPLOAD_METADATA",
		   "filename YQ==,expires_in NjA=");
	assert_ok(read_creation(&u));
	assert_int_equal(u.length, 1000);
	assert_int_equal(u.concat, TUS_PARTIAL);
	assert_string_equal(u.concat_sent, "partial");
	assert_string_equal(u.metadata, "filename YQ==,expires_in NjA=");
	assert_string_equal(u.name, "a");
	assert_int_equal(u.life, 60);
	assert_false(u.has_sha256);
}

static void a_creation_without_metadata_has_defaults(void **state)
{
	struct tus_upload u;

	(void)state;
	memory_set(&memory, "HTTP_UPLOAD_DEFER_LENGTH", "1");
	assert_ok(read_creation(&u));
	assert_int_equal(u.length, TUS_LENGTH_UNKNOWN);
	assert_int_equal(u.concat, TUS_WHOLE);
	assert_string_equal(u.name, "unnamed");
	assert_string_equal(u.metadata, "");
	assert_int_equal(u.life, FILES_NEVER);
}

static void a_final_creation_has_no_length(void **state)
{
	struct tus_upload u;

	(void)state;
	memory_set(&memory, "HTTP_UPLOAD_CONCAT", "final;/tus/a /tus/b");
	assert_ok(read_creation(&u));
	assert_int_equal(u.length, TUS_LENGTH_UNKNOWN);
	memory_set(&memory, "HTTP_UPLOAD_DEFER_LENGTH", "1");
	assert_err(read_creation(&u), ERR_FORMAT);
}

/* --- the length of a PATCH against the row -------------------------------- */

static void a_length_may_be_set_once(void **state)
{
	(void)state;
	assert_ok(check_length(3, TUS_LENGTH_UNKNOWN, 5, 5));
	assert_ok(check_length(3, TUS_LENGTH_UNKNOWN, TUS_LENGTH_UNKNOWN, 3));
	assert_ok(check_length(3, 5, 5, 5));
	assert_ok(check_length(3, 5, TUS_LENGTH_UNKNOWN, 5));
	assert_err(check_length(3, 6, 5, 5), ERR_FORMAT);
	assert_err(check_length(3, 4, 5, 5), ERR_FORMAT);
}

static void a_length_below_what_was_announced_is_refused(void **state)
{
	(void)state;
	assert_err(check_length(3, 4, TUS_LENGTH_UNKNOWN, 5), ERR_FORMAT);
	assert_err(check_length(5, 4, TUS_LENGTH_UNKNOWN, 0), ERR_FORMAT);
}

static void a_length_over_max_upload_is_refused(void **state)
{
	(void)state;
	assert_ok(check_length(0, MAX_UPLOAD, TUS_LENGTH_UNKNOWN, 0));
	assert_err(check_length(0, MAX_UPLOAD + 1, TUS_LENGTH_UNKNOWN, 0),
		   ERR_TOO_LARGE);
}

#define FIELDS(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIELDS(a_patch_has_an_offset_and_perhaps_a_length),
		FIELDS(an_invalid_patch_leaves_the_output_unchanged),
		FIELDS(a_creation_fills_the_row),
		FIELDS(a_creation_without_metadata_has_defaults),
		FIELDS(a_final_creation_has_no_length),
		FIELDS(a_length_may_be_set_once),
		FIELDS(a_length_below_what_was_announced_is_refused),
		FIELDS(a_length_over_max_upload_is_refused),
	};

	return RUN(tests);
}
