#include "cgi-gateway/parse/checksum.h"
#include "cgi-gateway/store/resumable.h"
#include "cgi-gateway/store/resumable_commit.h"
#include "cgi-gateway/tus/tus.h"
#include "tests/unit/cgi-gateway/gateway.h"

#include <errno.h>

#define HELLO_SHA1 "sha1 qvTGHdzF6KLavt4PO0gs2a6pQ00=" /* of "hello" */
#define LLO_SHA1 "sha1 FetSFarWc0hhpaW7mXI5j96puNA="
#define TOO_LONG_DIGEST                                                        \
	"sha256 "                                                              \
	"MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw" \
	"MDAwMDAwMDAwMDAwMDAw"
#define OTHER_DIGEST /* 64 zeros */                               \
	"sha256 MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw" \
	"MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMA=="

static struct db *db;
static struct gateway g;
static char path[128]; /* of the upload in question: "/tus/ID" */

/* --- what happens at a certain moment ------------------------------------- */

ssize_t __real_pwrite(int fd, const void *p, size_t n, off_t at);
ssize_t __wrap_pwrite(int fd, const void *p, size_t n, off_t at);
static bool disk_is_full; /* for bytes; marks have their place */

ssize_t __wrap_pwrite(int fd, const void *p, size_t n, off_t at)
{
	if (!disk_is_full || n == 184)
		return __real_pwrite(fd, p, n, at);
	errno = ENOSPC;
	return -1;
}

/* Between the row and the place of the bytes, Upload-Length is looked at, then
 * Upload-Checksum; then the body is read. Each is done once. */
static void (*before_length)(void), (*before_open)(void), (*before_read)(void);
static struct transport_ops hooked;
static const struct transport_ops *plain;

static void once(void (**what)(void))
{
	void (*now)(void) = *what;

	*what = NULL;
	if (now != NULL)
		now();
}

static const char *hooked_variable(struct transport *t, const char *name)
{
	if (strcmp(name, "HTTP_UPLOAD_LENGTH") == 0)
		once(&before_length);
	if (strcmp(name, "HTTP_UPLOAD_CHECKSUM") == 0)
		once(&before_open);
	return plain->variable(t, name);
}

static enum err hooked_read(struct transport *t, struct span *chunk)
{
	once(&before_read);
	return plain->read(t, chunk);
}

/* --- the house ------------------------------------------------------------ */

static int open_db(void **state)
{
	(void)state;
	db = mariadb_pool(4);
	gateway_people(db);
	return 0;
}

static int close_db(void **state)
{
	(void)state;
	db_close(db);
	return 0;
}

static int set_up(void **state)
{
	(void)state;
	gateway_clear(db);
	gateway_open(&g, db);
	disk_is_full = false;
	before_length = before_open = before_read = NULL;
	path[0] = '\0';
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	gateway_close(&g);
	return 0;
}

/* "Name: value" is set by its name in HTTP; the value NULL: as it is */
static void header(const char *name, const char *value)
{
	static char names[8][48];
	static size_t next;
	char *variable = names[next++ % COUNT(names)];

	(void)snprintf(variable, sizeof(names[0]), "HTTP_%s", name);
	for (char *p = variable; *p != '\0'; p++)
		*p = *p == '-' ? '_'
			       : (char)(*p >= 'a' && *p <= 'z' ? *p - 32 : *p);
	memory_set(&g.memory, variable, value);
}

static void begin(const char *method, const char *of)
{
	gateway_request(&g, method, of, "");
	header("Tus-Resumable", "1.0.0");
	plain = g.memory.base.ops;
	hooked = *plain;
	hooked.variable = hooked_variable;
	hooked.read = hooked_read;
	g.memory.base.ops = &hooked;
}

static void body(const char *text)
{
	memory_set(&g.memory, "CONTENT_TYPE",
		   "application/offset+octet-stream");
	memory_body(&g.memory, span_of(text), 2);
}

static int answer_new(void)
{
	int status = gateway_answer(&g, handle_tus_new, SPAN(""));

	if (status == 201)
		assert_true(span_to_cstr(memory_header(&g.memory, "Location"),
					 path, sizeof(path)));
	return status;
}

/* A new upload of so many bytes; NULL: to be told later */
static void created(const char *length)
{
	begin("POST", "/tus");
	header(length != NULL ? "Upload-Length" : "Upload-Defer-Length",
	       length != NULL ? length : "1");
	assert_int_equal(answer_new(), 201);
}

static struct span id(void)
{
	return span_from(span_of(path), strlen("/tus/"));
}

static void begin_patch(const char *offset, const char *bytes)
{
	begin("PATCH", path);
	header("Upload-Offset", offset);
	body(bytes);
}

static int answer_patch(void)
{
	return gateway_answer(&g, handle_tus_bytes, id());
}

static int patch(const char *offset, const char *bytes)
{
	begin_patch(offset, bytes);
	return answer_patch();
}

static int show(const char *method)
{
	begin(method, path);
	return gateway_answer(&g, handle_tus_show, id());
}

static int end(void)
{
	begin("DELETE", path);
	return gateway_answer(&g, handle_tus_end, id());
}

static void assert_told(const char *name, const char *value)
{
	assert_span_str(memory_header(&g.memory, name), value);
}

static void assert_offset(const char *offset)
{
	assert_int_equal(show("HEAD"), 200);
	assert_told("Upload-Offset", offset);
}

#define assert_refused(got, status, slug, sentence)                          \
	do {                                                                 \
		int refused_got = (got);                                     \
		assert_true(gateway_said(&g, "\"urn:gatehouse:" slug "\"")); \
		assert_true(gateway_said(&g, sentence));                     \
		assert_int_equal(refused_got, status);                       \
	} while (0)

static void assert_held(int64_t bytes, int64_t files)
{
	struct amount was = { -1, -1 }, is = { -1, -1 };

	assert_ok(quota_recount(db, GATEWAY_USER, &was, &is, NULL));
	assert_int_equal(was.bytes, bytes);
	assert_int_equal(was.files, files);
	assert_int_equal(is.bytes, bytes);
	assert_int_equal(is.files, files);
}

static void assert_nothing_is_left(void)
{
	int64_t n = -1;

	assert_ok(db_row(db, "SELECT COUNT(*) FROM upload", DB_NONE,
			 DB_OUT(db_to_int(&n)), NULL));
	assert_int_equal(n, 0);
	assert_int_equal(file_table_rows(db), 0);
	assert_int_equal(folder_files(g.dir), 0);
	assert_held(0, 0);
}

static struct file the_file(void)
{
	struct file f;

	assert_ok(files_find(db, gateway_caller(&g), 0, id(), &f, NULL));
	return f;
}

static void assert_file(const char *content)
{
	struct file f = the_file();
	struct store_reader *r = NULL;
	unsigned char sum[SHA256_LEN];
	char got[256];
	size_t n = 0;
	int64_t size;

	assert_ok(store_reader_open(g.app.store, f.id, 0, &r, &size, NULL));
	assert_int_equal(size, strlen(content));
	assert_ok(store_reader_read(r, got, sizeof(got), &n, NULL));
	store_reader_close(r);
	assert_span_str(((struct span) { got, n }), content);
	assert_int_equal(f.size, n);
	sha256_of(span_of(content), sum);
	assert_memory_equal(f.sha256, sum, SHA256_LEN);
	assert_int_equal(gateway_unfinished(&g), 0);
}

/* --- what every request has ----------------------------------------------- */

static struct request arrive(const char *method, const char *of,
			     const char *wanted, struct response *rs)
{
	struct request rq;

	begin(method, of);
	header("X-HTTP-Method-Override", wanted);
	assert_ok(request_init(&rq, &g.memory.base, &g.arena, "cgi-gateway",
			       g.now * 1000));
	response_init(rs, &g.memory.base, rq.head);
	tus_arrive(&g.app, &rq, rs);
	(void)!response_empty(rs, 204);
	response_release(rs);
	return rq;
}

static void every_answer_names_the_version(void **state)
{
	struct response rs;

	(void)state;
	(void)arrive("GET", "/tus/x", NULL, &rs);
	assert_told("Tus-Resumable", "1.0.0");
	assert_false(memory_has_header(&g.memory, "Tus-Extension"));
	(void)arrive("OPTIONS", "/tus", NULL, &rs);
	assert_told("Tus-Resumable", "1.0.0");
	assert_told("Tus-Version", "1.0.0");
	assert_told("Tus-Extension", TUS_EXTENSIONS);
	assert_told("Tus-Checksum-Algorithm", CHECKSUM_ALGORITHMS);
	assert_told("Tus-Max-Size", "10000");
	(void)arrive("GET", "/tusk", NULL, &rs);
	assert_false(memory_has_header(&g.memory, "Tus-Resumable"));
	(void)arrive("OPTIONS", "/files", NULL, &rs);
	assert_false(memory_has_header(&g.memory, "Tus-Version"));
	arena_reset(&g.arena);
}

static void a_post_may_mean_another_method(void **state)
{
	static const struct {
		const char *method, *of, *wanted, *is;
	} all[] = {
		{ "POST", "/tus/x", "PATCH", "PATCH" },
		{ "POST", "/tus/x", "DELETE", "DELETE" },
		{ "POST", "/tus/x", "HEAD", "GET" },
		{ "POST", "/tus/x", "GET", "GET" },
		{ "POST", "/tus/x", "PUT", "POST" },
		{ "POST", "/tus/x", "patch", "POST" },
		{ "POST", "/tus/x", NULL, "POST" },
		{ "PATCH", "/tus/x", "DELETE", "PATCH" },
		{ "GET", "/tus/x", "DELETE", "GET" },
		{ "POST", "/files/x", "DELETE", "POST" },
	};
	struct response rs;

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++) {
		struct request rq =
			arrive(all[i].method, all[i].of, all[i].wanted, &rs);

		assert_span_str(rq.method, all[i].is);
	}
	arena_reset(&g.arena);
}

static void the_version_must_be_ours(void **state)
{
	(void)state;
	created("5");
	for (int i = 0; i < 2; i++) {
		begin_patch("0", "hello");
		header("Tus-Resumable", i == 0 ? NULL : "1.0.1");
		assert_refused(answer_patch(), 412, "tus-version",
			       "Send Tus-Resumable: 1.0.0");
		assert_told("Tus-Version", "1.0.0");
	}
	begin("POST", "/tus");
	header("Tus-Resumable", NULL);
	assert_int_equal(answer_new(), 412);
	begin("DELETE", path);
	header("Tus-Resumable", "0.9");
	assert_int_equal(gateway_answer(&g, handle_tus_end, id()), 412);
	/* people ask by hand */
	begin("GET", path);
	header("Tus-Resumable", NULL);
	assert_int_equal(gateway_answer(&g, handle_tus_show, id()), 200);
	begin("HEAD", path);
	header("Tus-Resumable", NULL);
	assert_int_equal(gateway_answer(&g, handle_tus_show, id()), 200);
	begin("HEAD", path);
	header("Tus-Resumable", "2.0.0");
	assert_int_equal(gateway_answer(&g, handle_tus_show, id()), 412);
	assert_offset("0");
}

static void what_is_not_there_is_not_found(void **state)
{
	(void)state;
	created("5");
	path[strlen(path) - 1] ^= 1;
	assert_int_equal(show("HEAD"), 404);
	assert_int_equal(patch("0", "hello"), 404);
	assert_int_equal(end(), 404);
	(void)snprintf(path, sizeof(path), "/tus/../../etc/passwd");
	assert_int_equal(show("GET"), 404);
	assert_int_equal(patch("0", "hello"), 404);
}

static void an_ended_session_is_refused_everywhere(void **state)
{
	(void)state;
	created("5");
	sessions_revoke(db, session_of(GATEWAY_USER));
	begin("POST", "/tus");
	header("Upload-Length", "5");
	assert_int_equal(answer_new(), 401);
	assert_int_equal(patch("0", "hello"), 401);
	assert_int_equal(show("GET"), 401);
	assert_int_equal(end(), 401);
	sessions_put(db, &(struct session) { .user = GATEWAY_USER });
	assert_offset("0");
	assert_held(5, 1);
}

static void a_token_of_a_script_needs_its_scope(void **state)
{
	(void)state;
	created("5");
	sessions_put(db, &(struct session) { .user = GATEWAY_USER,
					     .id = "reader",
					     .secret = "r",
					     .scope = "files:read" });
	sessions_put(db, &(struct session) { .user = GATEWAY_USER,
					     .id = "writer",
					     .secret = "w",
					     .scope = "files:write" });
	g.api = "reader";
	g.secret = "r";
	assert_int_equal(patch("0", "hello"), 403);
	assert_int_equal(show("GET"), 403);
	assert_int_equal(end(), 403);
	begin("POST", "/tus");
	header("Upload-Length", "5");
	assert_int_equal(answer_new(), 403);
	g.api = "writer";
	g.secret = "w";
	assert_int_equal(patch("0", "he"), 204);
	g.api = NULL; /* whose it is counts, not by which token */
	assert_int_equal(patch("2", "llo"), 204);
	assert_file("hello");
	g.api = "writer";
	created("0");
	assert_true(the_file().owner == GATEWAY_USER);
}

static void an_admin_may_name_whose_it_is(void **state)
{
	(void)state;
	g.who = (struct claims) { .user_id = GATEWAY_OTHER,
				  .email = "root@example.org",
				  .admin = true,
				  .scope = "files:write admin" };
	begin("POST", "/tus");
	memory_set(&g.memory, "QUERY_STRING", "owner=42");
	header("Upload-Length", "2");
	assert_int_equal(answer_new(), 201);
	assert_contains(path, "?owner=42");
	*strchr(path, '?') = '\0';
	assert_int_equal(patch("0", "hi"), 404); /* without ?owner= */
	begin_patch("0", "hi");
	memory_set(&g.memory, "QUERY_STRING", "owner=42");
	assert_int_equal(answer_patch(), 204);
	assert_file("hi");
	assert_true(the_file().owner == GATEWAY_USER);
	begin("POST", "/tus");
	memory_set(&g.memory, "QUERY_STRING", "owner=0");
	header("Upload-Length", "2");
	assert_refused(answer_new(), 422, "invalid-value",
		       "?owner= is the number of a user.");
}

/* --- beginning ------------------------------------------------------------ */

static void a_new_one_is_empty_and_counts_with_its_length(void **state)
{
	(void)state;
	created("5");
	assert_told("Upload-Expires", "Thu, 01 Jan 2026 00:16:40 GMT");
	assert_told("Content-Length", "0");
	assert_false(memory_has_header(&g.memory, "Upload-Offset"));
	assert_held(5, 1);
	assert_int_equal(gateway_unfinished(&g), 2);
	assert_offset("0");
	assert_told("Upload-Length", "5");
	assert_false(memory_has_header(&g.memory, "Upload-Defer-Length"));
	assert_false(memory_has_header(&g.memory, "Upload-Metadata"));
	assert_false(memory_has_header(&g.memory, "Upload-Concat"));
}

static void its_metadata_names_the_file(void **state)
{
	static const char sent[] =
		"filename w7wudHh0,filetype dGV4dC9wbGFpbg==,"
		"expires_in NjA=,sha256 "
		"MmNmMjRkYmE1ZmIwYTMwZTI2ZTgzYjJhYzViOWUyOWUx"
		"YjE2MWU1YzFmYTc0MjVlNzMwNDMzNjI5MzhiOTgyNA==,"
		"whatever";
	struct file f;

	(void)state;
	begin("POST", "/tus");
	header("Upload-Length", "5");
	header("Upload-Metadata", sent);
	assert_int_equal(answer_new(), 201);
	assert_offset("0");
	assert_told("Upload-Metadata", sent);
	g.now += 10;
	assert_int_equal(patch("0", "hello"), 204);
	f = the_file();
	assert_string_equal(f.name, "\xc3\xbc.txt");
	assert_string_equal(f.type, "text/plain");
	assert_string_equal(f.claimed_type, "text/plain");
	assert_int_equal(f.created_at, GATEWAY_NOW + 10);
	assert_int_equal(f.expires_at, GATEWAY_NOW + 70);
}

static void other_libraries_have_other_names_for_it(void **state)
{
	struct file f;

	(void)state;
	begin("POST", "/tus");
	header("Upload-Length", "0");
	header("Upload-Metadata", "name YQ==,type aW1hZ2UvcG5n");
	assert_int_equal(answer_new(), 201);
	f = the_file();
	assert_string_equal(f.name, "a");
	assert_string_equal(f.claimed_type, "image/png");
	created("0");
	assert_string_equal(the_file().name, "unnamed");
	assert_int_equal(the_file().expires_at, FILES_NEVER);
}

static void the_first_bytes_may_come_along(void **state)
{
	(void)state;
	begin("POST", "/tus");
	header("Upload-Length", "5");
	body("hel");
	assert_int_equal(answer_new(), 201);
	assert_told("Upload-Offset", "3");
	assert_int_equal(patch("3", "lo"), 204);
	assert_file("hello");
	begin("POST", "/tus");
	header("Upload-Length", "5");
	header("Upload-Checksum", HELLO_SHA1);
	body("hello");
	assert_int_equal(answer_new(), 201);
	assert_told("Upload-Offset", "5");
	the_file();
	/* a body that is none of it is not read */
	begin("POST", "/tus");
	header("Upload-Length", "5");
	body("hello");
	memory_set(&g.memory, "CONTENT_TYPE", "text/plain");
	assert_int_equal(answer_new(), 201);
	assert_false(memory_has_header(&g.memory, "Upload-Offset"));
	assert_offset("0");
}

/* Nobody is told where it is, so nobody could go on with it or end it */
static void first_bytes_that_fail_leave_nothing(void **state)
{
	(void)state;
	begin("POST", "/tus");
	header("Upload-Length", "5");
	header("Upload-Checksum", HELLO_SHA1);
	body("jello");
	assert_refused(answer_new(), 460, "checksum-mismatch",
		       "none of them was kept");
	assert_nothing_is_left();

	begin("POST", "/tus");
	header("Upload-Length", "4");
	body("hello");
	assert_refused(answer_new(), 413, "too-large", "these are more");
	assert_nothing_is_left();

	begin("POST", "/tus");
	header("Upload-Length", "5");
	body("hello");
	g.memory.read_breaks = 3;
	(void)answer_new();
	assert_nothing_is_left();

	begin("POST", "/tus");
	header("Upload-Length", "5");
	header("Upload-Metadata", OTHER_DIGEST);
	body("hello");
	assert_refused(answer_new(), 422, "digest-mismatch",
		       "nothing was stored");
	assert_nothing_is_left();

	g.app.streams_max = 0;
	begin("POST", "/tus");
	header("Upload-Length", "5");
	body("hello");
	assert_refused(answer_new(), 503, "unavailable",
		       "Too many uploads stream in at this moment.");
	assert_nothing_is_left();
}

static void what_makes_no_sense_is_explained(void **state)
{
	static const struct {
		const char *name, *value;
		int status;
		const char *sentence;
	} wrong[] = {
		{ "Upload-Length", NULL, 400,
		  "Send either Upload-Length, a number of bytes, or "
		  "Upload-Defer-Length: 1." },
		{ "Upload-Defer-Length", "1", 400, "Send either" },
		{ "Upload-Length", "-1", 400,
		  "Upload-Length is a number of bytes." },
		{ "Upload-Length", "99999999999999999999", 400,
		  "Upload-Length is a number of bytes." },
		{ "Upload-Length", "10001", 413,
		  "The file is larger than 10000 bytes (MAX_UPLOAD)." },
		{ "Upload-Metadata", "a b c", 400,
		  "Upload-Metadata is a list of keys, each with a blank and "
		  "its value in base64: at most 32 of them and 4096 bytes, "
		  "none twice." },
		{ "Upload-Metadata", "filename Li4=", 422,
		  "A file's name is 1 to 255 bytes of UTF-8 without control "
		  "characters, and not . or .." },
		{ "Upload-Metadata", "sha256 YWJj", 400,
		  "sha256 in Upload-Metadata is 64 hex digits." },
		{ "Upload-Metadata", TOO_LONG_DIGEST, 400,
		  "sha256 in Upload-Metadata is 64 hex digits." },
		{ "Upload-Metadata",
		  "expires_in "
		  "MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw"
		  "MDAwMDAwMDAwMDAwMDAwMzYwMDAwMDAwMDAwMA==",
		  422, "expires_in is in seconds" },
		{ "Upload-Metadata", "expires_in MA==", 422,
		  "expires_in is in seconds, from 1 to" },
		{ "Upload-Metadata", "expires_in c29vbg==", 422,
		  "expires_in is in seconds" },
		{ "Upload-Concat", "whole", 400,
		  "Upload-Concat is partial, or final; with the URLs of the "
		  "parts behind it, and at most 8192 bytes." },
		{ "Upload-Concat", "final;/tus/x", 400,
		  "The length of an upload that is put together is that of "
		  "its parts." },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		begin("POST", "/tus");
		header("Upload-Length", "5");
		header(wrong[i].name, wrong[i].value);
		assert_int_equal(answer_new(), wrong[i].status);
		assert_true(gateway_said(&g, wrong[i].sentence));
	}
	begin("POST", "/tus");
	header("Upload-Defer-Length", "2");
	assert_int_equal(answer_new(), 400);
	assert_nothing_is_left();
}

static void what_does_not_fit_into_the_quota_is_not_begun(void **state)
{
	(void)state;
	g.app.quota.bytes = 7;
	created("5");
	begin("POST", "/tus");
	header("Upload-Length", "3");
	assert_refused(answer_new(), 507, "quota-exceeded", "used up");
	assert_held(5, 1);
	assert_int_equal(gateway_unfinished(&g), 2);
	assert_int_equal(patch("0", "hello"), 204);
	assert_held(5, 1);
}

/* --- going on ------------------------------------------------------------- */

static void bytes_are_taken_in_as_many_requests_as_they_come_in(void **state)
{
	(void)state;
	created("5");
	assert_int_equal(patch("0", "h"), 204);
	assert_told("Upload-Offset", "1");
	assert_told("Upload-Expires", "Thu, 01 Jan 2026 00:16:40 GMT");
	assert_int_equal(patch("1", ""), 204);
	assert_told("Upload-Offset", "1");
	assert_int_equal(patch("1", "ell"), 204);
	assert_int_equal(file_table_rows(db), 0);
	assert_int_equal(patch("4", "o"), 204);
	assert_told("Upload-Offset", "5");
	assert_file("hello");
	assert_held(5, 1);
	/* whose last answer was lost asks, or sends it again */
	assert_offset("5");
	assert_int_equal(patch("5", ""), 204);
	assert_told("Upload-Offset", "5");
	assert_int_equal(patch("4", "o"), 409);
	assert_told("Upload-Offset", "5");
	assert_file("hello");
}

static void json_tells_the_same(void **state)
{
	(void)state;
	created(NULL);
	assert_int_equal(patch("0", "he"), 204);
	assert_int_equal(show("GET"), 200);
	assert_true(gateway_said(
		&g, "\"name\":\"unnamed\",\"offset\":2,\"length\":null,"
		    "\"finished\":false,\"expires_at\":\""));
	begin_patch("2", "llo");
	header("Upload-Length", "5");
	assert_int_equal(answer_patch(), 204);
	assert_int_equal(show("GET"), 200);
	assert_true(gateway_said(&g, "\"offset\":5,\"length\":5,"
				     "\"finished\":true,\"expires_at\":"
				     "\"2026-01-01T00:16:40Z\"}"));
}

static void a_patch_that_makes_no_sense_is_explained(void **state)
{
	static const struct {
		const char *name, *value;
		int status;
		const char *sentence;
	} wrong[] = {
		{ "Upload-Offset", NULL, 400, "Upload-Offset is missing." },
		{ "Upload-Offset", "x", 400,
		  "Upload-Offset is a number of bytes." },
		{ "Upload-Offset", "1", 409,
		  "The upload is at byte 2. Go on from there." },
		{ "Upload-Offset", "3", 409, "The upload is at byte 2." },
		{ "Upload-Offset", "6", 409, "The upload is at byte 2." },
		{ "Upload-Length", "6", 400,
		  "Upload-Length is another one already, or less than the "
		  "bytes that were announced before." },
		{ "Upload-Length", "x", 400,
		  "Upload-Length is a number of bytes." },
		{ "Upload-Checksum", "sha1", 400,
		  "Upload-Checksum is one of sha1,sha256,md5,crc32, a blank, "
		  "and the checksum in base64." },
		{ "Upload-Checksum", "sha512 YQ==", 400,
		  "Upload-Checksum is one of" },
	};

	(void)state;
	created("5");
	assert_int_equal(patch("0", "he"), 204);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		begin_patch("2", "llo");
		header(wrong[i].name, wrong[i].value);
		assert_int_equal(answer_patch(), wrong[i].status);
		assert_true(gateway_said(&g, wrong[i].sentence));
		if (wrong[i].status == 409)
			assert_told("Upload-Offset", "2");
	}
	begin_patch("2", "llo");
	memory_set(&g.memory, "CONTENT_TYPE", "text/plain");
	assert_refused(answer_patch(), 415, "unsupported-media-type",
		       "Send application/offset+octet-stream.");
	assert_refused(
		patch("2", "llo!"), 413, "too-large",
		"Of the upload's 5 bytes 3 are missing; these are more.");
	begin_patch("2", "llo");
	header("Upload-Length", "5"); /* the same again is no contradiction */
	assert_int_equal(answer_patch(), 204);
	assert_file("hello");
}

static void a_body_of_no_told_length_may_not_be_longer_either(void **state)
{
	(void)state;
	created("5");
	begin_patch("0", "hello!");
	memory_set(&g.memory, "CONTENT_LENGTH", NULL);
	assert_refused(answer_patch(), 413, "too-large", "these are more");
	assert_offset("4"); /* pieces of two */
	begin_patch("4", "o");
	memory_set(&g.memory, "CONTENT_LENGTH", NULL);
	assert_int_equal(answer_patch(), 204);
	assert_file("hello");
}

static void what_came_before_a_body_broke_is_kept(void **state)
{
	(void)state;
	created("5");
	begin_patch("0", "hello");
	g.memory.read_breaks = 3;
	assert_int_equal(answer_patch(), 400);
	assert_offset("2");
	begin_patch("2", "ll");
	memory_set(&g.memory, "CONTENT_LENGTH", "3");
	assert_refused(answer_patch(), 400, "incomplete-body",
		       "The body ended before its announced end. What came "
		       "before that is kept: ask for the offset.");
	assert_offset("4");
	assert_int_equal(patch("4", "o"), 204);
	assert_file("hello");
}

static void bytes_with_a_checksum_count_together_or_not_at_all(void **state)
{
	(void)state;
	created("5");
	begin_patch("0", "hell");
	header("Upload-Checksum", HELLO_SHA1);
	memory_set(&g.memory, "CONTENT_LENGTH", "5");
	assert_refused(answer_patch(), 400, "incomplete-body",
		       "None of it was kept: ask for the offset.");
	assert_offset("0");
	begin_patch("0", "jello");
	header("Upload-Checksum", HELLO_SHA1);
	assert_refused(answer_patch(), 460, "checksum-mismatch",
		       "none of them was kept. Send them again.");
	assert_offset("0");
	begin_patch("0", "hello");
	header("Upload-Checksum", HELLO_SHA1);
	assert_int_equal(answer_patch(), 204);
	assert_file("hello");
}

static void a_full_disk_says_what_is_kept(void **state)
{
	(void)state;
	created("5");
	assert_int_equal(patch("0", "he"), 204);
	disk_is_full = true;
	assert_refused(patch("2", "llo"), 507, "storage-full",
		       "The server has no space left. What came before that is "
		       "kept: ask for the offset, and go on later.");
	begin_patch("2", "llo");
	header("Upload-Checksum", LLO_SHA1);
	assert_refused(answer_patch(), 507, "storage-full",
		       "None of it was kept");
	disk_is_full = false;
	assert_offset("2");
	assert_int_equal(patch("2", "llo"), 204);
	assert_file("hello");
}

static void as_many_stream_as_may(void **state)
{
	(void)state;
	created("5");
	atomic_store(&g.app.streams, 1);
	assert_refused(patch("0", "hello"), 503, "unavailable",
		       "Too many uploads stream in at this moment. Try again "
		       "soon.");
	assert_told("Retry-After", "1");
	assert_int_equal(atomic_load(&g.app.streams), 1);
	atomic_store(&g.app.streams, 0);
	assert_int_equal(patch("0", "hello"), 204);
	assert_int_equal(atomic_load(&g.app.streams), 0);
}

/* --- a length that is told later ------------------------------------------ */

static void bytes_of_no_known_length_count_as_they_are_announced(void **state)
{
	(void)state;
	g.app.quota.bytes = 10;
	created(NULL);
	assert_held(0, 1);
	assert_offset("0");
	assert_told("Upload-Defer-Length", "1");
	assert_false(memory_has_header(&g.memory, "Upload-Length"));
	assert_refused(patch("0", "hello world"), 507, "quota-exceeded",
		       "used up");
	assert_held(0, 1);
	begin_patch("0", "hello world"); /* cut off after 4 */
	memory_set(&g.memory, "CONTENT_LENGTH", "9");
	g.memory.read_breaks = 4;
	assert_int_equal(answer_patch(), 400);
	assert_offset("4");
	assert_held(9, 1);
	/* another one cannot take the same room */
	begin("POST", "/tus");
	header("Upload-Length", "2");
	assert_int_equal(answer_new(), 507);
	assert_int_equal(patch("4", "o wor"), 204);
	assert_held(9, 1);
	begin_patch("9", "");
	header("Upload-Length", "11");
	assert_refused(answer_patch(), 507, "quota-exceeded", "used up");
	begin_patch("9", "");
	header("Upload-Length", "8");
	assert_int_equal(answer_patch(), 400);
	begin_patch("9", "l");
	header("Upload-Length", "10");
	assert_int_equal(answer_patch(), 204);
	assert_file("hello worl");
	assert_held(10, 1);
}

static void no_more_come_than_were_announced(void **state)
{
	(void)state;
	created(NULL);
	begin_patch("0", "hello");
	memory_set(&g.memory, "CONTENT_LENGTH", "3");
	assert_int_equal(answer_patch(), 413);
	assert_offset("2");
	assert_held(3, 1);
	begin_patch("2", "llo");
	memory_set(&g.memory, "CONTENT_LENGTH", NULL);
	assert_refused(answer_patch(), 411, "length-required",
		       "Send a Content-Length as long as the upload has no "
		       "Upload-Length.");
	begin_patch("2", "llo");
	memory_set(&g.memory, "CONTENT_LENGTH", "9999");
	assert_refused(answer_patch(), 413, "too-large",
		       "The file is larger than 10000 bytes (MAX_UPLOAD).");
	begin_patch("2", "llo");
	header("Upload-Length", "10001");
	assert_refused(answer_patch(), 413, "too-large", "MAX_UPLOAD");
	assert_held(3, 1);
}

static void a_wrong_offset_tells_no_length_that_is_too_short(void **state)
{
	(void)state;
	created(NULL);
	assert_int_equal(patch("0", "hello"), 204);
	begin_patch("2", "l");
	header("Upload-Length", "3");
	assert_int_equal(answer_patch(), 400);
	begin_patch("5", "");
	header("Upload-Length", "5");
	assert_int_equal(answer_patch(), 204);
	assert_file("hello");
}

/* --- at the same time ----------------------------------------------------- */

static void take_over_from_it(void)
{
	struct resumable *p = NULL;
	int64_t from = 0;

	assert_ok(
		resumable_open(g.app.store, path + 5, &from, false, &p, NULL));
	assert_ok(resumable_write(p, SPAN("HE"), NULL));
	assert_ok(resumable_sync(p, NULL));
	resumable_close(p);
}

static void an_older_request_is_told_that_it_is_one(void **state)
{
	(void)state;
	created("5");
	before_read = take_over_from_it;
	assert_refused(patch("0", "hello"), 409, "conflict",
		       "Another request has taken over this upload. Ask for "
		       "its offset.");
	assert_false(memory_has_header(&g.memory, "Upload-Offset"));
	assert_offset("2");
	assert_int_equal(patch("2", "LLO"), 204);
	assert_file("HELLO");
}

static void tell_the_length_and_finish(void)
{
	struct tus_upload u;
	struct resumable_commit *f = NULL;
	unsigned char sum[SHA256_LEN];

	assert_ok(tus_uploads_find(db, gateway_caller(&g), 0, id(), &u, NULL));
	assert_ok(tus_uploads_measured(db, gateway_caller(&g), &g.app.quota, &u,
				       2, NULL));
	assert_ok(resumable_commit_begin(g.app.store, u.id, 2, &f, sum, NULL));
	assert_ok(resumable_commit_place(f, NULL));
	resumable_commit_leave(f);
}

/* It has read the row of one without a length, and would write more than that
 */
static void nobody_writes_into_what_is_being_finished(void **state)
{
	(void)state;
	created(NULL);
	assert_int_equal(patch("0", "he"), 204);
	before_open = tell_the_length_and_finish;
	begin_patch("2", "llo");
	assert_refused(answer_patch(), 413, "too-large",
		       "The upload has all of its 2 bytes.");
	assert_file("he");
	assert_held(2, 1);
}

static void hold_more(void)
{
	struct tus_upload u;

	assert_ok(tus_uploads_find(db, gateway_caller(&g), 0, id(), &u, NULL));
	assert_ok(tus_uploads_hold(db, gateway_caller(&g), &g.app.quota, &u, 9,
				   NULL));
}

static void no_length_is_told_that_somebody_writes_beyond(void **state)
{
	(void)state;
	created(NULL);
	assert_int_equal(patch("0", "he"), 204);
	before_length = hold_more;
	begin_patch("2", "llo");
	header("Upload-Length", "5");
	assert_refused(answer_patch(), 409, "conflict",
		       "Another request has taken over this upload. Ask for "
		       "its offset.");
	before_open = hold_more; /* which is held already */
	begin_patch("2", "llo");
	header("Upload-Length", "9");
	assert_int_equal(answer_patch(), 204);
	assert_held(9, 1);
}

static void write_the_rest(void)
{
	struct resumable *p = NULL;
	int64_t from = 2;
	struct resumable_commit *f = NULL;
	unsigned char sum[SHA256_LEN];

	assert_ok(
		resumable_open(g.app.store, path + 5, &from, false, &p, NULL));
	assert_ok(resumable_write(p, SPAN("LLO"), NULL));
	assert_ok(resumable_sync(p, NULL));
	resumable_close(p);
	assert_ok(resumable_commit_begin(g.app.store, path + 5, 5, &f, sum,
					 NULL));
	assert_ok(resumable_commit_place(f, NULL));
	resumable_commit_leave(f);
}

static void who_comes_after_the_last_byte_is_told_so(void **state)
{
	(void)state;
	created("5");
	assert_int_equal(patch("0", "he"), 204);
	before_open = write_the_rest;
	assert_refused(patch("2", "llo"), 409, "conflict",
		       "The upload is at byte 5.");
	assert_told("Upload-Offset", "5");
	assert_file("heLLO");
}

static void end_the_session(void)
{
	sessions_revoke(db, session_of(GATEWAY_USER));
}

static void a_session_that_ends_meanwhile_makes_no_file(void **state)
{
	(void)state;
	created("5");
	before_read = end_the_session;
	assert_int_equal(patch("0", "hello"), 401);
	assert_int_equal(file_table_rows(db), 0);
	/* what it brought is the user's all the same */
	sessions_put(db, &(struct session) { .user = GATEWAY_USER });
	assert_offset("5");
	assert_file("hello");
}

static void end_the_upload(void)
{
	struct tus_upload u;

	assert_ok(tus_uploads_find(db, gateway_caller(&g), 0, id(), &u, NULL));
	assert_ok(tus_uploads_remove(db, &u, NULL));
	assert_ok(resumable_remove(g.app.store, u.id, NULL));
}

static void one_that_is_ended_meanwhile_is_gone(void **state)
{
	(void)state;
	created("5");
	before_open = end_the_upload;
	assert_int_equal(patch("0", "hello"), 404);
	assert_nothing_is_left();
	created("5");
	before_read = end_the_upload;
	assert_int_equal(patch("0", "hello"), 409);
	assert_int_equal(show("HEAD"), 404);
	assert_nothing_is_left();
}

/* --- between the bytes and the row ---------------------------------------- */

/* Its bytes lie in their place, and it has no file */
static void leave_before_the_row(void)
{
	created("5");
	assert_int_equal(patch("0", "he"), 204);
	write_the_rest();
}

static void whoever_asks_next_makes_the_file(void **state)
{
	(void)state;
	leave_before_the_row();
	assert_int_equal(file_table_rows(db), 0);
	assert_int_equal(gateway_objects(&g), 1);
	assert_offset("5");
	assert_file("heLLO");
	leave_before_the_row();
	assert_int_equal(show("GET"), 200);
	assert_true(gateway_said(&g, "\"finished\":true"));
	assert_file("heLLO");
	leave_before_the_row();
	assert_int_equal(patch("5", ""), 204);
	assert_told("Upload-Offset", "5");
	assert_file("heLLO");
	leave_before_the_row();
	assert_int_equal(patch("2", "llo"), 409);
	assert_told("Upload-Offset", "5");
	assert_file("heLLO");
	assert_held(20, 4);
}

static void or_ends_it(void **state)
{
	(void)state;
	leave_before_the_row();
	assert_int_equal(end(), 204);
	assert_nothing_is_left();
}

/* The session is read, and then the database is gone: not known whether there
 * is a row */
static void without_a_database_nobody_is_told_that_all_is_done(void **state)
{
	struct db *away = gateway_no_database();

	(void)state;
	created("5");
	assert_int_equal(patch("0", "he"), 204);
	write_the_rest();
	g.app.db = away;
	/* after which clients ask again */
	assert_int_equal(show("HEAD"), 423);
	assert_true(memory_has_header(&g.memory, "Retry-After"));
	assert_int_equal(show("GET"), 503);
	assert_int_equal(patch("5", ""), 503);
	assert_int_equal(end(), 503);
	begin("POST", "/tus");
	header("Upload-Length", "5");
	assert_int_equal(answer_new(), 503);
	g.app.db = db;
	db_close(away);
	assert_offset("5");
	assert_int_equal(file_table_rows(db), 1);
}

static void the_row_of_a_file_lives_as_long_as_an_upload(void **state)
{
	struct tus_upload u;

	(void)state;
	created("5");
	g.now += GATEWAY_UPLOAD_LIFE - 1;
	assert_int_equal(patch("0", "hello"), 204);
	assert_ok(tus_uploads_find(db, gateway_caller(&g), 0, id(), &u, NULL));
	assert_int_equal(u.expires_at, g.now + GATEWAY_UPLOAD_LIFE);
}

static int64_t hours_later(void)
{
	return GATEWAY_NOW + 20 * GATEWAY_UPLOAD_LIFE;
}

/* A body may stream in for longer than an upload lives */
static void time_runs_from_the_last_byte_on(void **state)
{
	struct tus_upload u;
	struct file f;

	(void)state;
	g.clock = hours_later;
	begin("POST", "/tus");
	header("Upload-Length", "6");
	header("Upload-Metadata", "expires_in NjA=");
	body("a");
	assert_int_equal(answer_new(), 201);
	assert_told("Upload-Expires", "Thu, 01 Jan 2026 05:50:00 GMT");
	assert_int_equal(patch("1", "hel"), 204);
	assert_told("Upload-Expires", "Thu, 01 Jan 2026 05:50:00 GMT");
	assert_int_equal(patch("4", "lo"), 204);
	assert_told("Upload-Expires", "Thu, 01 Jan 2026 05:50:00 GMT");
	g.now = hours_later();
	f = the_file();
	assert_int_equal(f.created_at, hours_later());
	assert_int_equal(f.expires_at, hours_later() + 60);
	assert_ok(tus_uploads_find(db, gateway_caller(&g), 0, id(), &u, NULL));
	assert_int_equal(u.finished_at, hours_later());
	assert_int_equal(u.expires_at, hours_later() + GATEWAY_UPLOAD_LIFE);
}

/* --- the end -------------------------------------------------------------- */

static void what_is_ended_is_gone_with_all_that_it_held(void **state)
{
	(void)state;
	created("5");
	assert_int_equal(patch("0", "he"), 204);
	assert_int_equal(end(), 204);
	assert_nothing_is_left();
	assert_int_equal(end(), 404);
	/* one that is a file as well */
	created("5");
	assert_int_equal(patch("0", "hello"), 204);
	assert_int_equal(end(), 204);
	assert_int_equal(folder_files(g.dir), 0);
	assert_held(0, 0);
	assert_int_equal(show("HEAD"), 404);
	assert_int_equal(patch("5", ""), 404);
	assert_int_equal(end(), 404);
}

static void another_digest_than_was_told_is_the_end(void **state)
{
	(void)state;
	begin("POST", "/tus");
	header("Upload-Length", "5");
	header("Upload-Metadata", OTHER_DIGEST);
	assert_int_equal(answer_new(), 201);
	assert_int_equal(patch("0", "hel"), 204);
	assert_refused(patch("3", "lo"), 422, "digest-mismatch",
		       "nothing was stored");
	assert_nothing_is_left();
}

/* --- parts ---------------------------------------------------------------- */

/* The path of a part that has all of its bytes; valid for three more */
static const char *part(const char *text)
{
	static char paths[4][128];
	static int which;
	char length[24];

	which = (which + 1) % 4;
	(void)snprintf(length, sizeof(length), "%zu", strlen(text));
	begin("POST", "/tus");
	header("Upload-Length", length);
	header("Upload-Concat", "partial");
	body(text);
	assert_int_equal(answer_new(), 201);
	memcpy(paths[which], path, sizeof(path));
	return paths[which];
}

static int join(const char *list)
{
	begin("POST", "/tus");
	header("Upload-Concat", list);
	return answer_new();
}

static void parts_are_put_together(void **state)
{
	const char *a = part("hello "), *b = part("world");
	char list[300];

	(void)state;

	(void)snprintf(list, sizeof(list), "final;%s https://a.example%s", a,
		       b);
	assert_held(11, 0);
	assert_int_equal(join(list), 201);
	assert_false(memory_has_header(&g.memory, "Upload-Expires"));
	assert_file("hello world");
	assert_held(11, 1);
	assert_offset("11");
	assert_told("Upload-Concat", list);
	assert_told("Upload-Length", "11");
	assert_refused(patch("11", ""), 403, "forbidden",
		       "An upload that was put together of others takes no "
		       "bytes.");
	assert_refused(join(list), 422, "invalid-value",
		       "is no part of an upload.");
	assert_int_equal(end(), 204);
	assert_int_equal(folder_files(g.dir), 0);
	assert_held(0, 0);
}

static void a_part_is_no_file(void **state)
{
	(void)state;
	(void)part("hello");
	assert_offset("5");
	assert_told("Upload-Concat", "partial");
	assert_int_equal(file_table_rows(db), 0);
	assert_int_equal(patch("5", ""), 204);
	assert_int_equal(file_table_rows(db), 0);
	assert_int_equal(show("GET"), 200);
	assert_true(gateway_said(&g, "\"finished\":false"));
	assert_int_equal(end(), 204);
	assert_nothing_is_left();
}

/* An upload that is to be a part, of whatever length */
static const char *begun_part(const char *name, const char *value)
{
	begin("POST", "/tus");
	header(name, value);
	header("Upload-Concat", "partial");
	assert_int_equal(answer_new(), 201);
	return path;
}

static const char *list_of(const char *first, const char *second)
{
	static char list[300];

	(void)snprintf(list, sizeof(list), "final;%s %s", first, second);
	return list;
}

static void what_cannot_be_put_together_stays_as_it_is(void **state)
{
	const char *a = part("hello"), *b = part("world"), *list;

	(void)state;
	assert_refused(join(list_of(a, "/tus/none")), 422, "invalid-value",
		       "none is no part of an upload.");
	assert_refused(join(list_of(a, a)), 422, "invalid-value",
		       "A part is named twice.");
	assert_refused(join(list_of(a, begun_part("Upload-Length", "5"))), 409,
		       "conflict", "has not all of its bytes.");
	assert_refused(join(list_of(a, begun_part("Upload-Defer-Length", "1"))),
		       409, "conflict", "has not all of its bytes.");
	created("1");
	assert_refused(join(list_of(a, path)), 422, "invalid-value",
		       "is no part of an upload.");
	list = list_of(a, b);
	g.app.max_upload = 9;
	assert_refused(join(list), 413, "too-large",
		       "Together the parts are larger than 9 bytes "
		       "(MAX_UPLOAD).");
	g.app.max_upload = GATEWAY_MAX_UPLOAD;
	g.app.quota.files = 1; /* which is begun already */
	assert_refused(join(list), 507, "quota-exceeded", "used up");
	g.app.quota.files = 0;
	begin("POST", "/tus");
	header("Upload-Concat", list);
	header("Upload-Metadata", OTHER_DIGEST);
	assert_refused(answer_new(), 422, "digest-mismatch",
		       "nothing was stored");
	disk_is_full = true;
	assert_refused(join(list), 507, "storage-full", "no space left");
	disk_is_full = false;
	assert_int_equal(file_table_rows(db), 0);
	assert_int_equal(gateway_objects(&g), 0);
	assert_int_equal(gateway_unfinished(&g), 2 * 5);
	assert_held(5 + 5 + 5 + 1, 1);
	assert_int_equal(join(list), 201);
	assert_int_equal(the_file().size, 10);
}

static void a_part_whose_bytes_went_was_taken(void **state)
{
	const char *a = part("hello"), *b = part("world");

	(void)state;
	assert_ok(resumable_remove(g.app.store, b + strlen("/tus/"), NULL));
	assert_refused(join(list_of(a, b)), 409, "conflict",
		       "Another request has taken a part of this, or ended "
		       "it.");
	assert_int_equal(gateway_unfinished(&g), 2);
}

static void of_so_many_parts_one_is_too_many(void **state)
{
	char list[TUS_CONCAT_MAX];
	size_t n = (size_t)snprintf(list, sizeof(list), "final;"), all;

	(void)state;
	for (int i = 0; i < TUS_PARTS_MAX; i++)
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%s ",
				      part("x"));
	all = n;
	(void)snprintf(list + n, sizeof(list) - n, "%s", part("x"));
	assert_refused(join(list), 413, "too-large",
		       "An upload is put together of 100 parts at the most.");
	list[all - 1] = '\0';
	assert_int_equal(join(list), 201);
	assert_int_equal(the_file().size, TUS_PARTS_MAX);
	assert_held(TUS_PARTS_MAX + 1, 1);
}

#define TUS(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TUS(every_answer_names_the_version),
		TUS(a_post_may_mean_another_method),
		TUS(the_version_must_be_ours),
		TUS(what_is_not_there_is_not_found),
		TUS(an_ended_session_is_refused_everywhere),
		TUS(a_token_of_a_script_needs_its_scope),
		TUS(an_admin_may_name_whose_it_is),
		TUS(a_new_one_is_empty_and_counts_with_its_length),
		TUS(its_metadata_names_the_file),
		TUS(other_libraries_have_other_names_for_it),
		TUS(the_first_bytes_may_come_along),
		TUS(first_bytes_that_fail_leave_nothing),
		TUS(what_makes_no_sense_is_explained),
		TUS(what_does_not_fit_into_the_quota_is_not_begun),
		TUS(bytes_are_taken_in_as_many_requests_as_they_come_in),
		TUS(json_tells_the_same),
		TUS(a_patch_that_makes_no_sense_is_explained),
		TUS(a_body_of_no_told_length_may_not_be_longer_either),
		TUS(what_came_before_a_body_broke_is_kept),
		TUS(bytes_with_a_checksum_count_together_or_not_at_all),
		TUS(a_full_disk_says_what_is_kept),
		TUS(as_many_stream_as_may),
		TUS(bytes_of_no_known_length_count_as_they_are_announced),
		TUS(no_more_come_than_were_announced),
		TUS(a_wrong_offset_tells_no_length_that_is_too_short),
		TUS(an_older_request_is_told_that_it_is_one),
		TUS(nobody_writes_into_what_is_being_finished),
		TUS(no_length_is_told_that_somebody_writes_beyond),
		TUS(who_comes_after_the_last_byte_is_told_so),
		TUS(a_session_that_ends_meanwhile_makes_no_file),
		TUS(one_that_is_ended_meanwhile_is_gone),
		TUS(whoever_asks_next_makes_the_file),
		TUS(or_ends_it),
		TUS(without_a_database_nobody_is_told_that_all_is_done),
		TUS(the_row_of_a_file_lives_as_long_as_an_upload),
		TUS(time_runs_from_the_last_byte_on),
		TUS(what_is_ended_is_gone_with_all_that_it_held),
		TUS(another_digest_than_was_told_is_the_end),
		TUS(parts_are_put_together),
		TUS(a_part_is_no_file),
		TUS(what_cannot_be_put_together_stays_as_it_is),
		TUS(a_part_whose_bytes_went_was_taken),
		TUS(of_so_many_parts_one_is_too_many),
	};

	(void)argc;
	mariadb_needed(argv);
	return cmocka_run_group_tests(tests, open_db, close_db);
}
