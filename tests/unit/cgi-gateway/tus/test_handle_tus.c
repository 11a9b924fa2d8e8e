#include "cgi-gateway/parse/checksum.h"
#include "cgi-gateway/store/resumable.h"
#include "cgi-gateway/store/resumable_commit.h"
#include "cgi-gateway/tus/tus.h"
#include "common/base/worker_slots.h"
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

/* --- the worker ----------------------------------------------------------- */

static struct worker_slots *slots;

/* This thread works on a request of a process whose requests may not wait for
 * their clients */
static void without_places(void)
{
	assert_ok(worker_slots_new(1, 0, &slots));
	worker_enter(slots, WORKER_STORES);
}

static void with_places(void)
{
	worker_leave();
	worker_slots_free(slots);
}

/* --- hooks ---------------------------------------------------------------- */

ssize_t __real_pwrite(int fd, const void *p, size_t n, off_t at);
ssize_t __wrap_pwrite(int fd, const void *p, size_t n, off_t at);
static bool disk_is_full; /* for bytes, not for checkpoints */

ssize_t __wrap_pwrite(int fd, const void *p, size_t n, off_t at)
{
	if (!disk_is_full || n == 184)
		return __real_pwrite(fd, p, n, at);
	errno = ENOSPC;
	return -1;
}

/* Called once: after the row of the upload is read, and before its body is. */
static void (*after_row)(void), (*before_read)(void);
static struct transport_ops hooked;
static const struct transport_ops *plain;

static void once(void (**what)(void))
{
	void (*now)(void) = *what;

	*what = NULL;
	if (now != NULL)
		now();
}

enum err __real_tus_uploads_find(struct db *d, struct session_check *session,
				 uint64_t owner, struct span of,
				 struct tus_upload *out, struct errmsg *why);
enum err __wrap_tus_uploads_find(struct db *d, struct session_check *session,
				 uint64_t owner, struct span of,
				 struct tus_upload *out, struct errmsg *why);

enum err __wrap_tus_uploads_find(struct db *d, struct session_check *session,
				 uint64_t owner, struct span of,
				 struct tus_upload *out, struct errmsg *why)
{
	enum err e = __real_tus_uploads_find(d, session, owner, of, out, why);

	once(&after_row);
	return e;
}

static enum err hooked_read(struct transport *t, struct span *chunk)
{
	once(&before_read);
	return plain->read(t, chunk);
}

/* --- the gateway and its requests ----------------------------------------- */

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
	after_row = before_read = NULL;
	path[0] = '\0';
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	gateway_close(&g);
	return 0;
}

/* Set a header field by its name in HTTP; NULL removes it */
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

/* Create an upload of so many bytes; NULL: of unknown length */
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

static void assert_header(const char *name, const char *value)
{
	assert_span_str(memory_header(&g.memory, name), value);
}

static void assert_offset(const char *offset)
{
	assert_int_equal(show("HEAD"), 200);
	assert_header("Upload-Offset", offset);
}

#define assert_refused(got, status, slug, sentence)                          \
	do {                                                                 \
		int refused_got = (got);                                     \
		assert_true(gateway_said(&g, "\"urn:gatehouse:" slug "\"")); \
		assert_true(gateway_said(&g, sentence));                     \
		assert_int_equal(refused_got, status);                       \
	} while (0)

static void assert_reserved(int64_t bytes, int64_t files)
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
	assert_reserved(0, 0);
}

static struct file the_file(void)
{
	struct file f;

	assert_ok(files_find(db, gateway_session(&g), 0, id(), &f, NULL));
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

/* --- every request -------------------------------------------------------- */

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

static void every_response_names_the_version(void **state)
{
	struct response rs;

	(void)state;
	(void)arrive("GET", "/tus/x", NULL, &rs);
	assert_header("Tus-Resumable", "1.0.0");
	assert_false(memory_has_header(&g.memory, "Tus-Extension"));
	(void)arrive("OPTIONS", "/tus", NULL, &rs);
	assert_header("Tus-Resumable", "1.0.0");
	assert_header("Tus-Version", "1.0.0");
	assert_header("Tus-Extension", TUS_EXTENSIONS);
	assert_header("Tus-Checksum-Algorithm", CHECKSUM_ALGORITHMS);
	assert_header("Tus-Max-Size", "10000");
	(void)arrive("GET", "/tusk", NULL, &rs);
	assert_false(memory_has_header(&g.memory, "Tus-Resumable"));
	(void)arrive("OPTIONS", "/files", NULL, &rs);
	assert_false(memory_has_header(&g.memory, "Tus-Version"));
	arena_reset(&g.arena);
}

static void a_post_may_carry_another_method(void **state)
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

static void a_request_must_name_the_supported_version(void **state)
{
	(void)state;
	created("5");
	for (int i = 0; i < 2; i++) {
		begin_patch("0", "hello");
		header("Tus-Resumable", i == 0 ? NULL : "1.0.1");
		assert_refused(answer_patch(), 412, "tus-version",
			       "Send Tus-Resumable: 1.0.0");
		assert_header("Tus-Version", "1.0.0");
	}
	begin("POST", "/tus");
	header("Tus-Resumable", NULL);
	assert_int_equal(answer_new(), 412);
	begin("DELETE", path);
	header("Tus-Resumable", "0.9");
	assert_int_equal(gateway_answer(&g, handle_tus_end, id()), 412);
	/* a person may ask without the header */
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

static void an_unknown_upload_is_not_found(void **state)
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

static void an_ended_session_is_refused_by_every_method(void **state)
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
	assert_reserved(5, 1);
}

static void an_api_token_needs_its_scope(void **state)
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
	g.api = NULL; /* the owner counts, not the token */
	assert_int_equal(patch("2", "llo"), 204);
	assert_file("hello");
	g.api = "writer";
	created("0");
	assert_true(the_file().owner == GATEWAY_USER);
}

static void an_admin_may_name_the_owner(void **state)
{
	(void)state;
	g.claims = (struct claims) { .user_id = GATEWAY_OTHER,
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
		       "?owner= must be the number of a user.");
}

/* --- creating ------------------------------------------------------------- */

static void a_new_upload_is_empty_and_reserves_its_length(void **state)
{
	(void)state;
	created("5");
	assert_header("Upload-Expires", "Thu, 01 Jan 2026 00:16:40 GMT");
	assert_header("Content-Length", "0");
	assert_false(memory_has_header(&g.memory, "Upload-Offset"));
	assert_reserved(5, 1);
	assert_int_equal(gateway_unfinished(&g), 2);
	assert_offset("0");
	assert_header("Upload-Length", "5");
	assert_false(memory_has_header(&g.memory, "Upload-Defer-Length"));
	assert_false(memory_has_header(&g.memory, "Upload-Metadata"));
	assert_false(memory_has_header(&g.memory, "Upload-Concat"));
}

static void metadata_names_the_file(void **state)
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
	assert_header("Upload-Metadata", sent);
	g.now += 10;
	assert_int_equal(patch("0", "hello"), 204);
	f = the_file();
	assert_string_equal(f.name, "\xc3\xbc.txt");
	assert_string_equal(f.type, "text/plain");
	assert_string_equal(f.claimed_type, "text/plain");
	assert_int_equal(f.created_at, GATEWAY_NOW + 10);
	assert_int_equal(f.expires_at, GATEWAY_NOW + 70);
}

static void metadata_keys_of_other_libraries_are_read(void **state)
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

static void first_bytes_may_be_in_the_creation(void **state)
{
	(void)state;
	begin("POST", "/tus");
	header("Upload-Length", "5");
	body("hel");
	assert_int_equal(answer_new(), 201);
	assert_header("Upload-Offset", "3");
	assert_int_equal(patch("3", "lo"), 204);
	assert_file("hello");
	begin("POST", "/tus");
	header("Upload-Length", "5");
	header("Upload-Checksum", HELLO_SHA1);
	body("hello");
	assert_int_equal(answer_new(), 201);
	assert_header("Upload-Offset", "5");
	the_file();
	/* a body of another type is not read */
	begin("POST", "/tus");
	header("Upload-Length", "5");
	body("hello");
	memory_set(&g.memory, "CONTENT_TYPE", "text/plain");
	assert_int_equal(answer_new(), 201);
	assert_false(memory_has_header(&g.memory, "Upload-Offset"));
	assert_offset("0");
}

/* There is no Location by which a client could resume or remove it */
static void first_bytes_that_fail_leave_nothing(void **state)
{
	(void)state;
	begin("POST", "/tus");
	header("Upload-Length", "5");
	header("Upload-Checksum", HELLO_SHA1);
	body("jello");
	assert_refused(answer_new(), 460, "checksum-mismatch",
		       "none of them was stored");
	assert_nothing_is_left();

	begin("POST", "/tus");
	header("Upload-Length", "4");
	body("hello");
	assert_refused(answer_new(), 413, "too-large",
		       "bytes remain, but the request has more.");
	assert_nothing_is_left();

	begin("POST", "/tus");
	header("Upload-Length", "5");
	body("hello");
	g.memory.read_breaks = 3;
	(void)answer_new();
	assert_nothing_is_left();

	begin("POST", "/tus");
	header("Upload-Length", "5");
	body("hell");
	memory_set(&g.memory, "CONTENT_LENGTH", "5");
	assert_refused(answer_new(), 400, "incomplete-body",
		       "The body ended before its announced length. The upload "
		       "was not created; create it again.");
	assert_nothing_is_left();

	disk_is_full = true;
	begin("POST", "/tus");
	header("Upload-Length", "5");
	body("hello");
	assert_refused(answer_new(), 507, "storage-full",
		       "The server has no space left. The upload was not "
		       "created: try again later.");
	disk_is_full = false;
	assert_nothing_is_left();

	begin("POST", "/tus");
	header("Upload-Length", "5");
	header("Upload-Metadata", OTHER_DIGEST);
	body("hello");
	assert_refused(answer_new(), 422, "digest-mismatch",
		       "nothing was stored");
	assert_nothing_is_left();

	without_places();
	begin("POST", "/tus");
	header("Upload-Length", "5");
	body("hello");
	assert_refused(answer_new(), 503, "unavailable",
		       "three quarters of CONNECTIONS");
	with_places();
	assert_nothing_is_left();
}

static void an_invalid_creation_is_explained(void **state)
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
		  "Upload-Length must be a number of bytes." },
		{ "Upload-Length", "99999999999999999999", 400,
		  "Upload-Length must be a number of bytes." },
		{ "Upload-Length", "10001", 413,
		  "The file is larger than 10000 bytes (MAX_UPLOAD)." },
		{ "Upload-Metadata", "a b c", 400,
		  "Upload-Metadata must be a list of keys, each followed by "
		  "a space and its value in base64: at most 32 different "
		  "keys in 4096 bytes." },
		{ "Upload-Metadata", "filename Li4=", 422,
		  "The name of the file is \\\"..\\\"; choose another." },
		{ "Upload-Metadata", "sha256 YWJj", 400,
		  "sha256 in Upload-Metadata must be 64 hex digits." },
		{ "Upload-Metadata", TOO_LONG_DIGEST, 400,
		  "sha256 in Upload-Metadata must be 64 hex digits." },
		{ "Upload-Metadata",
		  "expires_in "
		  "MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw"
		  "MDAwMDAwMDAwMDAwMDAwMzYwMDAwMDAwMDAwMA==",
		  422, "expires_in must be a number of seconds" },
		{ "Upload-Metadata", "expires_in MA==", 422,
		  "expires_in must be a number of seconds from 1 to" },
		{ "Upload-Metadata", "expires_in c29vbg==", 422,
		  "expires_in must be a number of seconds" },
		{ "Upload-Concat", "whole", 400,
		  "Upload-Concat must be \\\"partial\\\", or \\\"final;\\\" "
		  "followed by the URLs of the parts, in at most 8192 "
		  "bytes." },
		{ "Upload-Concat", "final;/tus/x", 400,
		  "A final upload has the length of its parts. Do not "
		  "send a length." },
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

static void an_upload_over_the_quota_is_not_created(void **state)
{
	(void)state;
	g.app.quota.bytes = 7;
	created("5");
	begin("POST", "/tus");
	header("Upload-Length", "3");
	assert_refused(answer_new(), 507, "quota-exceeded", "more bytes");
	assert_reserved(5, 1);
	assert_int_equal(gateway_unfinished(&g), 2);
	assert_int_equal(patch("0", "hello"), 204);
	assert_reserved(5, 1);
}

/* --- appending ------------------------------------------------------------ */

static void bytes_may_arrive_in_any_number_of_requests(void **state)
{
	(void)state;
	created("5");
	assert_int_equal(patch("0", "h"), 204);
	assert_header("Upload-Offset", "1");
	assert_header("Upload-Expires", "Thu, 01 Jan 2026 00:16:40 GMT");
	assert_int_equal(patch("1", ""), 204);
	assert_header("Upload-Offset", "1");
	assert_int_equal(patch("1", "ell"), 204);
	assert_int_equal(file_table_rows(db), 0);
	assert_int_equal(patch("4", "o"), 204);
	assert_header("Upload-Offset", "5");
	assert_file("hello");
	assert_reserved(5, 1);
	/* a client that lost the last response asks, or sends it again */
	assert_offset("5");
	assert_int_equal(patch("5", ""), 204);
	assert_header("Upload-Offset", "5");
	assert_int_equal(patch("4", "o"), 409);
	assert_header("Upload-Offset", "5");
	assert_file("hello");
}

static void json_shows_what_the_headers_show(void **state)
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

static void an_invalid_patch_is_explained(void **state)
{
	static const struct {
		const char *name, *value;
		int status;
		const char *sentence;
	} wrong[] = {
		{ "Upload-Offset", NULL, 400,
		  "Upload-Offset is missing. Send the number of bytes that "
		  "the upload has." },
		{ "Upload-Offset", "x", 400,
		  "Upload-Offset must be a number of bytes." },
		{ "Upload-Offset", "1", 409,
		  "The upload is at byte 2. Resume from there." },
		{ "Upload-Offset", "3", 409, "The upload is at byte 2." },
		{ "Upload-Offset", "6", 409, "The upload is at byte 2." },
		{ "Upload-Length", "6", 400,
		  "Upload-Length cannot be changed once it is set, nor be "
		  "less than the bytes that were announced before." },
		{ "Upload-Length", "x", 400,
		  "Upload-Length must be a number of bytes." },
		{ "Upload-Checksum", "sha1", 400,
		  "Upload-Checksum must be one of sha1,sha256,md5,crc32, a "
		  "space, and the checksum in base64." },
		{ "Upload-Checksum", "sha512 YQ==", 400,
		  "Upload-Checksum must be one of" },
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
			assert_header("Upload-Offset", "2");
	}
	begin_patch("2", "llo");
	memory_set(&g.memory, "CONTENT_TYPE", "text/plain");
	assert_refused(answer_patch(), 415, "unsupported-media-type",
		       "Send the bytes with Content-Type: "
		       "application/offset+octet-stream.");
	assert_refused(patch("2", "llo!"), 413, "too-large",
		       "Only 3 of 5 bytes remain, but the request has more.");
	begin_patch("2", "llo");
	header("Upload-Length", "5"); /* the same length again is accepted */
	assert_int_equal(answer_patch(), 204);
	assert_file("hello");
}

static void a_body_of_unknown_length_may_not_exceed_the_upload(void **state)
{
	(void)state;
	created("5");
	begin_patch("0", "hello!");
	memory_set(&g.memory, "CONTENT_LENGTH", NULL);
	assert_refused(answer_patch(), 413, "too-large",
		       "bytes remain, but the request has more.");
	assert_offset("4"); /* chunks of two bytes */
	begin_patch("4", "o");
	memory_set(&g.memory, "CONTENT_LENGTH", NULL);
	assert_int_equal(answer_patch(), 204);
	assert_file("hello");
}

static void bytes_before_a_broken_body_are_kept(void **state)
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
		       "The body ended before its announced length. The bytes "
		       "before that were kept. Request the offset (HEAD), and "
		       "resume from there.");
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
		       "None of its bytes were kept. Request the offset");
	assert_offset("0");
	begin_patch("0", "jello");
	header("Upload-Checksum", HELLO_SHA1);
	assert_refused(answer_patch(), 460, "checksum-mismatch",
		       "none of them was stored. Send");
	assert_offset("0");
	begin_patch("0", "hello");
	header("Upload-Checksum", HELLO_SHA1);
	assert_int_equal(answer_patch(), 204);
	assert_file("hello");
}

static void a_full_disk_is_reported_with_what_is_kept(void **state)
{
	(void)state;
	created("5");
	assert_int_equal(patch("0", "he"), 204);
	disk_is_full = true;
	assert_refused(patch("2", "llo"), 507, "storage-full",
		       "The server has no space left. The bytes before that "
		       "were kept. Request the offset (HEAD), and resume "
		       "later.");
	begin_patch("2", "llo");
	header("Upload-Checksum", LLO_SHA1);
	assert_refused(answer_patch(), 507, "storage-full",
		       "None of its bytes were kept");
	disk_is_full = false;
	assert_offset("2");
	assert_int_equal(patch("2", "llo"), 204);
	assert_file("hello");
}

static void uploads_without_a_place_are_refused(void **state)
{
	(void)state;
	created("5");
	without_places();
	assert_refused(patch("0", "hello"), 503, "unavailable",
		       "three quarters of CONNECTIONS");
	assert_header("Retry-After", "5");
	with_places();
	assert_int_equal(patch("0", "hello"), 204);
}

/* --- a deferred length ---------------------------------------------------- */

static void bytes_of_unknown_length_are_reserved_as_announced(void **state)
{
	(void)state;
	g.app.quota.bytes = 10;
	created(NULL);
	assert_reserved(0, 1);
	assert_offset("0");
	assert_header("Upload-Defer-Length", "1");
	assert_false(memory_has_header(&g.memory, "Upload-Length"));
	assert_refused(patch("0", "hello world"), 507, "quota-exceeded",
		       "more bytes");
	assert_reserved(0, 1);
	begin_patch("0", "hello world"); /* cut off after 4 */
	memory_set(&g.memory, "CONTENT_LENGTH", "9");
	g.memory.read_breaks = 4;
	assert_int_equal(answer_patch(), 400);
	assert_offset("4");
	assert_reserved(9, 1);
	/* another upload cannot reserve the same space */
	begin("POST", "/tus");
	header("Upload-Length", "2");
	assert_int_equal(answer_new(), 507);
	assert_int_equal(patch("4", "o wor"), 204);
	assert_reserved(9, 1);
	begin_patch("9", "");
	header("Upload-Length", "11");
	assert_refused(answer_patch(), 507, "quota-exceeded", "more bytes");
	begin_patch("9", "");
	header("Upload-Length", "8");
	assert_int_equal(answer_patch(), 400);
	begin_patch("9", "l");
	header("Upload-Length", "10");
	assert_int_equal(answer_patch(), 204);
	assert_file("hello worl");
	assert_reserved(10, 1);
}

static void bytes_beyond_the_announced_ones_are_refused(void **state)
{
	(void)state;
	created(NULL);
	begin_patch("0", "hello");
	memory_set(&g.memory, "CONTENT_LENGTH", "3");
	assert_refused(answer_patch(), 413, "too-large",
		       "The request has more bytes than its Content-Length "
		       "says.");
	assert_offset("2");
	assert_reserved(3, 1);
	begin_patch("2", "llo");
	memory_set(&g.memory, "CONTENT_LENGTH", NULL);
	assert_refused(answer_patch(), 411, "length-required",
		       "Send a Content-Length: the upload has no Upload-Length "
		       "yet.");
	begin_patch("2", "llo");
	memory_set(&g.memory, "CONTENT_LENGTH", "9999");
	assert_refused(answer_patch(), 413, "too-large",
		       "The file is larger than 10000 bytes (MAX_UPLOAD).");
	begin_patch("2", "llo");
	header("Upload-Length", "10001");
	assert_refused(answer_patch(), 413, "too-large", "MAX_UPLOAD");
	assert_reserved(3, 1);
}

static void a_wrong_offset_sets_no_length_that_is_too_short(void **state)
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

/* --- several requests at once --------------------------------------------- */

static void take_over(void)
{
	struct resumable *p = NULL;
	int64_t from = 0;

	assert_ok(
		resumable_open(g.app.store, path + 5, &from, false, &p, NULL));
	assert_ok(resumable_write(p, SPAN("HE"), NULL));
	assert_ok(resumable_sync(p, NULL));
	resumable_close(p);
}

static void an_older_request_is_refused_once_a_newer_one_writes(void **state)
{
	(void)state;
	created("5");
	before_read = take_over;
	assert_refused(patch("0", "hello"), 409, "conflict",
		       "Another request has taken over this upload. "
		       "Request its offset (HEAD), and resume from there.");
	assert_false(memory_has_header(&g.memory, "Upload-Offset"));
	assert_offset("2");
	assert_int_equal(patch("2", "LLO"), 204);
	assert_file("HELLO");
}

static void set_length_and_complete(void)
{
	struct tus_upload u;
	struct resumable_commit *f = NULL;
	unsigned char sum[SHA256_LEN];

	assert_ok(tus_uploads_find(db, gateway_session(&g), 0, id(), &u, NULL));
	assert_ok(tus_uploads_set_length(db, gateway_session(&g), &g.app.quota,
					 &u, 2, NULL));
	assert_ok(resumable_commit_begin(g.app.store, u.id, 2, &f, sum, NULL));
	assert_ok(resumable_commit_place(f, NULL));
	resumable_commit_leave(f);
}

/* The request read a row without a length, and has more bytes than that */
static void an_upload_being_completed_accepts_no_bytes(void **state)
{
	(void)state;
	created(NULL);
	assert_int_equal(patch("0", "he"), 204);
	after_row = set_length_and_complete;
	begin_patch("2", "llo");
	assert_refused(answer_patch(), 413, "too-large",
		       "The upload has all of its 2 bytes. Send no more.");
	assert_file("he");
	assert_reserved(2, 1);
}

static void reserve_more(void)
{
	struct tus_upload u;

	assert_ok(tus_uploads_find(db, gateway_session(&g), 0, id(), &u, NULL));
	assert_ok(tus_uploads_reserve(db, gateway_session(&g), &g.app.quota, &u,
				      9, NULL));
}

static void a_length_below_what_another_request_reserved_is_refused(
	void **state)
{
	(void)state;
	created(NULL);
	assert_int_equal(patch("0", "he"), 204);
	after_row = reserve_more;
	begin_patch("2", "llo");
	header("Upload-Length", "5");
	assert_refused(answer_patch(), 409, "conflict",
		       "Another request has taken over this upload. "
		       "Request its offset (HEAD), and resume from there.");
	after_row = reserve_more; /* 9 bytes are reserved already */
	begin_patch("2", "llo");
	header("Upload-Length", "9");
	assert_int_equal(answer_patch(), 204);
	assert_reserved(9, 1);
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

static void a_request_after_the_last_byte_gets_the_final_offset(void **state)
{
	(void)state;
	created("5");
	assert_int_equal(patch("0", "he"), 204);
	after_row = write_the_rest;
	assert_refused(patch("2", "llo"), 409, "conflict",
		       "The upload is at byte 5.");
	assert_header("Upload-Offset", "5");
	assert_file("heLLO");
}

static void revoke_session(void)
{
	sessions_revoke(db, session_of(GATEWAY_USER));
}

static void a_session_that_ends_during_the_body_makes_no_file(void **state)
{
	(void)state;
	created("5");
	before_read = revoke_session;
	assert_int_equal(patch("0", "hello"), 401);
	assert_int_equal(file_table_rows(db), 0);
	/* the bytes that arrived are the user's all the same */
	sessions_put(db, &(struct session) { .user = GATEWAY_USER });
	assert_offset("5");
	assert_file("hello");
}

static void remove_upload(void)
{
	struct tus_upload u;

	assert_ok(tus_uploads_find(db, gateway_session(&g), 0, id(), &u, NULL));
	assert_ok(tus_uploads_remove(db, &u, NULL));
	assert_ok(resumable_remove(g.app.store, u.id, NULL));
}

static void an_upload_removed_by_another_request_is_not_found(void **state)
{
	(void)state;
	created("5");
	after_row = remove_upload;
	assert_int_equal(patch("0", "hello"), 404);
	assert_nothing_is_left();
	created("5");
	before_read = remove_upload;
	assert_int_equal(patch("0", "hello"), 409);
	assert_int_equal(show("HEAD"), 404);
	assert_nothing_is_left();
}

/* --- interrupted between the bytes and the row ---------------------------- */

/* The bytes are an object, and there is no file */
static void interrupt_before_the_row(void)
{
	created("5");
	assert_int_equal(patch("0", "he"), 204);
	write_the_rest();
}

static void an_interrupted_completion_is_finished_by_the_next_request(
	void **state)
{
	(void)state;
	interrupt_before_the_row();
	assert_int_equal(file_table_rows(db), 0);
	assert_int_equal(gateway_objects(&g), 1);
	assert_offset("5");
	assert_file("heLLO");
	interrupt_before_the_row();
	assert_int_equal(show("GET"), 200);
	assert_true(gateway_said(&g, "\"finished\":true"));
	assert_file("heLLO");
	interrupt_before_the_row();
	assert_int_equal(patch("5", ""), 204);
	assert_header("Upload-Offset", "5");
	assert_file("heLLO");
	interrupt_before_the_row();
	assert_int_equal(patch("2", "llo"), 409);
	assert_header("Upload-Offset", "5");
	assert_file("heLLO");
	assert_reserved(20, 4);
}

static void an_interrupted_completion_can_be_removed(void **state)
{
	(void)state;
	interrupt_before_the_row();
	assert_int_equal(end(), 204);
	assert_nothing_is_left();
}

/* Without a database it is unknown whether the upload has become a file */
static void an_unavailable_database_never_reports_completion(void **state)
{
	struct db *away = gateway_no_database();

	(void)state;
	created("5");
	assert_int_equal(patch("0", "he"), 204);
	write_the_rest();
	g.app.db = away;
	/* after a 423, clients ask again */
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

static void a_finished_row_stays_as_long_as_an_upload(void **state)
{
	struct tus_upload u;

	(void)state;
	created("5");
	g.now += GATEWAY_UPLOAD_LIFE - 1;
	assert_int_equal(patch("0", "hello"), 204);
	assert_ok(tus_uploads_find(db, gateway_session(&g), 0, id(), &u, NULL));
	assert_int_equal(u.expires_at, g.now + GATEWAY_UPLOAD_LIFE);
}

static int64_t hours_later(void)
{
	return GATEWAY_NOW + 20 * GATEWAY_UPLOAD_LIFE;
}

/* A body may stream in for longer than an upload lives */
static void lifetimes_are_counted_from_the_last_byte(void **state)
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
	assert_header("Upload-Expires", "Thu, 01 Jan 2026 05:50:00 GMT");
	assert_int_equal(patch("1", "hel"), 204);
	assert_header("Upload-Expires", "Thu, 01 Jan 2026 05:50:00 GMT");
	assert_int_equal(patch("4", "lo"), 204);
	assert_header("Upload-Expires", "Thu, 01 Jan 2026 05:50:00 GMT");
	g.now = hours_later();
	f = the_file();
	assert_int_equal(f.created_at, hours_later());
	assert_int_equal(f.expires_at, hours_later() + 60);
	assert_ok(tus_uploads_find(db, gateway_session(&g), 0, id(), &u, NULL));
	assert_int_equal(u.finished_at, hours_later());
	assert_int_equal(u.expires_at, hours_later() + GATEWAY_UPLOAD_LIFE);
}

/* --- removing ------------------------------------------------------------- */

static void a_removed_upload_leaves_nothing_and_reserves_nothing(void **state)
{
	(void)state;
	created("5");
	assert_int_equal(patch("0", "he"), 204);
	assert_int_equal(end(), 204);
	assert_nothing_is_left();
	assert_int_equal(end(), 404);
	/* a file too */
	created("5");
	assert_int_equal(patch("0", "hello"), 204);
	assert_int_equal(end(), 204);
	assert_int_equal(folder_files(g.dir), 0);
	assert_reserved(0, 0);
	assert_int_equal(show("HEAD"), 404);
	assert_int_equal(patch("5", ""), 404);
	assert_int_equal(end(), 404);
}

static void an_upload_with_a_wrong_sha256_is_removed(void **state)
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

/* The path of a complete part, valid until four more are made */
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

static void parts_are_joined_into_one_file(void **state)
{
	const char *a = part("hello "), *b = part("world");
	char list[300];

	(void)state;

	(void)snprintf(list, sizeof(list), "final;%s https://a.example%s", a,
		       b);
	assert_reserved(11, 0);
	assert_int_equal(join(list), 201);
	assert_false(memory_has_header(&g.memory, "Upload-Expires"));
	assert_file("hello world");
	assert_reserved(11, 1);
	assert_offset("11");
	assert_header("Upload-Concat", list);
	assert_header("Upload-Length", "11");
	assert_refused(
		patch("11", ""), 403, "forbidden",
		"This upload was joined from its parts, and no bytes can "
		"be added to it.");
	assert_refused(join(list), 422, "invalid-value",
		       "is not a partial upload of this owner.");
	assert_int_equal(end(), 204);
	assert_int_equal(folder_files(g.dir), 0);
	assert_reserved(0, 0);
}

static void a_part_does_not_become_a_file(void **state)
{
	(void)state;
	(void)part("hello");
	assert_offset("5");
	assert_header("Upload-Concat", "partial");
	assert_int_equal(file_table_rows(db), 0);
	assert_int_equal(patch("5", ""), 204);
	assert_int_equal(file_table_rows(db), 0);
	assert_int_equal(show("GET"), 200);
	assert_true(gateway_said(&g, "\"finished\":false"));
	assert_int_equal(end(), 204);
	assert_nothing_is_left();
}

/* Create a partial upload with this header, and return its path */
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

static void parts_that_cannot_be_joined_stay_unchanged(void **state)
{
	const char *a = part("hello"), *b = part("world"), *list;

	(void)state;
	assert_refused(join(list_of(a, "/tus/none")), 422, "invalid-value",
		       "none is not a partial upload of this owner. Name "
		       "uploads made with Upload-Concat: partial.");
	assert_refused(join(list_of(a, a)), 422, "invalid-value",
		       "A part is named twice. Name each part once.");
	assert_refused(join(list_of(a, begun_part("Upload-Length", "5"))), 409,
		       "conflict",
		       "does not have all of its bytes. Send the rest first.");
	assert_refused(join(list_of(a, begun_part("Upload-Defer-Length", "1"))),
		       409, "conflict",
		       "does not have all of its bytes. Send the rest first.");
	created("1");
	assert_refused(join(list_of(a, path)), 422, "invalid-value",
		       "is not a partial upload of this owner.");
	list = list_of(a, b);
	g.app.max_upload = 9;
	assert_refused(join(list), 413, "too-large",
		       "Together the parts are larger than 9 bytes "
		       "(MAX_UPLOAD).");
	g.app.max_upload = GATEWAY_MAX_UPLOAD;
	g.app.quota.files = 1; /* there is one already */
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
	assert_reserved(5 + 5 + 5 + 1, 1);
	assert_int_equal(join(list), 201);
	assert_int_equal(the_file().size, 10);
}

static void a_part_without_bytes_counts_as_joined_by_another_request(
	void **state)
{
	const char *a = part("hello"), *b = part("world");

	(void)state;
	assert_ok(resumable_remove(g.app.store, b + strlen("/tus/"), NULL));
	assert_refused(join(list_of(a, b)), 409, "conflict",
		       "Another request has joined or removed a part of this. "
		       "Check which parts still exist.");
	assert_int_equal(gateway_unfinished(&g), 2);
}

static void parts_over_the_limit_are_refused(void **state)
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
		       "An upload can be joined from at most 100 parts.");
	list[all - 1] = '\0';
	assert_int_equal(join(list), 201);
	assert_int_equal(the_file().size, TUS_PARTS_MAX);
	assert_reserved(TUS_PARTS_MAX + 1, 1);
}

#define TUS(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TUS(every_response_names_the_version),
		TUS(a_post_may_carry_another_method),
		TUS(a_request_must_name_the_supported_version),
		TUS(an_unknown_upload_is_not_found),
		TUS(an_ended_session_is_refused_by_every_method),
		TUS(an_api_token_needs_its_scope),
		TUS(an_admin_may_name_the_owner),
		TUS(a_new_upload_is_empty_and_reserves_its_length),
		TUS(metadata_names_the_file),
		TUS(metadata_keys_of_other_libraries_are_read),
		TUS(first_bytes_may_be_in_the_creation),
		TUS(first_bytes_that_fail_leave_nothing),
		TUS(an_invalid_creation_is_explained),
		TUS(an_upload_over_the_quota_is_not_created),
		TUS(bytes_may_arrive_in_any_number_of_requests),
		TUS(json_shows_what_the_headers_show),
		TUS(an_invalid_patch_is_explained),
		TUS(a_body_of_unknown_length_may_not_exceed_the_upload),
		TUS(bytes_before_a_broken_body_are_kept),
		TUS(bytes_with_a_checksum_count_together_or_not_at_all),
		TUS(a_full_disk_is_reported_with_what_is_kept),
		TUS(uploads_without_a_place_are_refused),
		TUS(bytes_of_unknown_length_are_reserved_as_announced),
		TUS(bytes_beyond_the_announced_ones_are_refused),
		TUS(a_wrong_offset_sets_no_length_that_is_too_short),
		TUS(an_older_request_is_refused_once_a_newer_one_writes),
		TUS(an_upload_being_completed_accepts_no_bytes),
		TUS(a_length_below_what_another_request_reserved_is_refused),
		TUS(a_request_after_the_last_byte_gets_the_final_offset),
		TUS(a_session_that_ends_during_the_body_makes_no_file),
		TUS(an_upload_removed_by_another_request_is_not_found),
		TUS(an_interrupted_completion_is_finished_by_the_next_request),
		TUS(an_interrupted_completion_can_be_removed),
		TUS(an_unavailable_database_never_reports_completion),
		TUS(a_finished_row_stays_as_long_as_an_upload),
		TUS(lifetimes_are_counted_from_the_last_byte),
		TUS(a_removed_upload_leaves_nothing_and_reserves_nothing),
		TUS(an_upload_with_a_wrong_sha256_is_removed),
		TUS(parts_are_joined_into_one_file),
		TUS(a_part_does_not_become_a_file),
		TUS(parts_that_cannot_be_joined_stay_unchanged),
		TUS(a_part_without_bytes_counts_as_joined_by_another_request),
		TUS(parts_over_the_limit_are_refused),
	};

	(void)argc;
	mariadb_needed(argv);
	return cmocka_run_group_tests(tests, open_db, close_db);
}
