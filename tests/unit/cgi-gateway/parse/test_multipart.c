#include "cgi-gateway/parse/multipart.h"
#include "common/base/buf.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

#define FORM "multipart/form-data; boundary=B"
#define FIELD "Content-Disposition: form-data; name=\"a\"\r\n\r\n"
#define A_FILE                                         \
	"Content-Disposition: form-data; name=\"f\"; " \
	"filename=\"a.txt\"\r\n\r\n"

/* What came out, as text: `a:` or `f=a.txt(text/plain):` for a part, its bytes,
 * "." at its end, "!" for the closing boundary. Neighbouring DATA events flow
 * together, for it does not matter where they are cut. */
struct trace {
	struct buf text;
	struct multipart_event part; /* the part under way */
	bool in_part, closed;
	enum err e;
	bool complete;
};

static void describe(const struct multipart_event *ev, struct buf *to)
{
	buf_add(to, ev->part.name);
	if (ev->part.is_file) {
		buf_add_char(to, '=');
		buf_add(to, ev->part.file);
	}
	if (ev->part.type.len > 0) {
		buf_add_char(to, '(');
		buf_add(to, ev->part.type);
		buf_add_char(to, ')');
	}
	buf_add_char(to, ':');
}

/* The fields of a part hold until the next one */
static void assert_still_described(const struct trace *t, const char *before)
{
	struct buf now;

	buf_init(&now, 4 * MULTIPART_HEAD_MAX);
	describe(&t->part, &now);
	assert_int_equal(buf_error(&now), ERR_OK);
	assert_memory_equal(now.p, before, now.len);
	buf_release(&now);
}

static void trace_event(struct trace *t, const struct multipart_event *ev)
{
	static char described[4 * MULTIPART_HEAD_MAX];
	size_t begun = t->text.len;

	assert_false(t->closed);
	switch (ev->kind) {
	case MULTIPART_PART:
		assert_false(t->in_part);
		t->in_part = true;
		t->part = *ev;
		describe(ev, &t->text);
		memcpy(described, t->text.p + begun, t->text.len - begun);
		break;
	case MULTIPART_DATA:
		assert_true(t->in_part && ev->data.len > 0);
		buf_add(&t->text, ev->data);
		break;
	case MULTIPART_END:
		assert_true(t->in_part);
		t->in_part = false;
		assert_still_described(t, described);
		buf_add_char(&t->text, '.');
		break;
	default:
		assert_int_equal(ev->kind, MULTIPART_CLOSED);
		assert_false(t->in_part);
		t->closed = true;
		buf_add_char(&t->text, '!');
	}
}

/* One piece, in memory of its own that ends where the piece does */
static void feed(struct multipart *m, struct trace *t, struct span piece)
{
	char *own = malloc(piece.len);
	struct span rest = { own, piece.len };
	struct multipart_event ev = { .kind = MULTIPART_PART };

	assert_non_null(own);
	memcpy(own, piece.p, piece.len);
	while (t->e == ERR_OK && ev.kind != MULTIPART_NEEDS_MORE) {
		t->e = multipart_next(m, &rest, &ev);
		if (t->e == ERR_OK && ev.kind != MULTIPART_NEEDS_MORE)
			trace_event(t, &ev);
	}
	assert_true(t->e != ERR_OK || rest.len == 0);
	free(own);
}

static void begin(struct multipart *m, struct trace *t, struct span type)
{
	*t = (struct trace) { .e = ERR_OK };
	buf_init(&t->text, 1 << 20);
	assert_ok(multipart_init(m, type));
}

static void end(const struct multipart *m, struct trace *t)
{
	t->complete = multipart_complete(m);
	assert_ok(buf_error(&t->text));
}

/* `body` in pieces of `size` bytes */
static void parse(struct trace *t, struct span type, struct span body,
		  size_t size)
{
	struct multipart *m = malloc(sizeof(*m));

	assert_non_null(m);
	begin(m, t, type);
	for (size_t at = 0; at < body.len; at += size) {
		struct span piece = span_from(body, at);

		if (piece.len > size)
			piece.len = size;
		feed(m, t, piece);
	}
	end(m, t);
	free(m);
}

/* In two pieces, the first of `first` bytes */
static void parse_split(struct trace *t, struct span type, struct span body,
			size_t first)
{
	struct multipart *m = malloc(sizeof(*m));

	assert_non_null(m);
	begin(m, t, type);
	if (first > 0)
		feed(m, t, (struct span) { body.p, first });
	if (first < body.len)
		feed(m, t, span_from(body, first));
	end(m, t);
	free(m);
}

static void assert_same(const struct trace *a, const struct trace *b)
{
	assert_err(a->e, b->e);
	assert_int_equal(a->complete, b->complete);
	assert_int_equal(a->text.len, b->text.len);
	if (a->text.len > 0)
		assert_memory_equal(a->text.p, b->text.p, a->text.len);
}

/* `body` gives the same in any pieces; *whole is the result */
static void parse_every_way(struct trace *whole, struct span type,
			    struct span body)
{
	struct trace t;

	parse(whole, type, body, body.len);
	for (size_t first = 0; first <= body.len; first++) {
		parse_split(&t, type, body, first);
		assert_same(&t, whole);
		buf_release(&t.text);
	}
	for (size_t size = 1; size <= 7 && size < body.len; size++) {
		parse(&t, type, body, size);
		assert_same(&t, whole);
		buf_release(&t.text);
	}
}

static void check(const char *type, struct span body, struct span want,
		  enum err e, bool complete)
{
	struct trace t;

	parse_every_way(&t, span_of(type), body);
	unit_span_is(buf_span(&t.text), want.p, want.len, __FILE__, __LINE__);
	assert_err(t.e, e);
	assert_int_equal(t.complete, complete);
	buf_release(&t.text);
}

#define assert_parts(body, want) \
	check(FORM, SPAN(body), SPAN(want), ERR_OK, true)
#define assert_refused(body) refused(FORM, SPAN(body), ERR_FORMAT)

static void refused(const char *type, struct span body, enum err why)
{
	struct trace t;

	parse_every_way(&t, span_of(type), body);
	if (t.e != why)
		print_error("of the body \"%.*s\"\n", SPAN_ARG(body));
	assert_err(t.e, why);
	assert_false(t.complete);
	buf_release(&t.text);
}

/* --- parts ---------------------------------------------------------------- */

static void fields_and_files_are_returned_in_order(void **state)
{
	(void)state;
	assert_parts("--B\r\n" FIELD "one\r\n--B\r\n" A_FILE
		     "two\r\n--B\r\n" FIELD "three\r\n--B--\r\n",
		     "a:one.f=a.txt:two.a:three.!");
}

static void the_example_of_rfc_7578_is_parsed(void **state)
{
	(void)state;
	check("multipart/form-data; boundary=AaB03x",
	      SPAN("--AaB03x\r\n"
		   "content-disposition: form-data; name=\"field1\"\r\n"
		   "content-type: text/plain;charset=UTF-8\r\n"
		   "content-transfer-encoding: quoted-printable\r\n\r\n"
		   "Joe owes =E2=82=AC100.\r\n"
		   "--AaB03x--\r\n"),
	      SPAN("field1(text/plain;charset=UTF-8):Joe owes =E2=82=AC100..!"),
	      ERR_OK, true);
}

static void an_empty_part_has_no_bytes(void **state)
{
	(void)state;
	assert_parts("--B\r\n" A_FILE "\r\n--B\r\n" FIELD "\r\n--B--",
		     "f=a.txt:.a:.!");
}

static void a_part_may_have_any_byte(void **state)
{
	(void)state;
	assert_parts("--B\r\n" A_FILE "\0\xff\x80\n\r\0\r\n--B--",
		     "f=a.txt:\0\xff\x80\n\r\0.!");
}

static void a_body_without_parts_is_complete(void **state)
{
	(void)state;
	assert_parts("--B--\r\n", "!");
}

/* --- what only looks like a boundary -------------------------------------- */

static void a_boundary_follows_a_crlf(void **state)
{
	(void)state;
	assert_parts("--B\r\n" A_FILE "x--B\r\n--B--", "f=a.txt:x--B.!");
	assert_parts("--B\r\n" A_FILE "\n--B\r\n--B--", "f=a.txt:\n--B.!");
	assert_parts("--B\r\n" A_FILE "\r--B\r\n--B--", "f=a.txt:\r--B.!");
	assert_parts("--B\r\n" A_FILE "\n\r--B\r\n--B--", "f=a.txt:\n\r--B.!");
}

/* One event for each line would cost more than the bytes */
static void lines_that_arrive_together_are_one_event(void **state)
{
	struct span rest = SPAN("--b\r\nContent-Disposition: form-data; "
				"name=\"a\"\r\n\r\n"
				"one\r\ntwo\r\n\r\r\n--three\r\n--B--\r\n");
	struct multipart_event ev;
	struct multipart m;

	(void)state;
	assert_ok(multipart_init(&m, SPAN("multipart/form-data; boundary=b")));
	assert_ok(multipart_next(&m, &rest, &ev));
	assert_int_equal(ev.kind, MULTIPART_PART);
	assert_ok(multipart_next(&m, &rest, &ev));
	assert_int_equal(ev.kind, MULTIPART_DATA);
	assert_span(ev.data, "one\r\ntwo\r\n\r\r\n--three\r\n--B--");
	assert_ok(multipart_next(&m, &rest, &ev));
	assert_int_equal(ev.kind, MULTIPART_NEEDS_MORE);
}

static void half_a_boundary_is_data(void **state)
{
	(void)state;
	assert_parts("--B\r\n" A_FILE "\r\n-B\r\n--C\r\n--\r\n--B--",
		     "f=a.txt:\r\n-B\r\n--C\r\n--.!");
	assert_parts("--B\r\n" A_FILE "\r\r\n\r\n--B--", "f=a.txt:\r\r\n.!");
	assert_parts("--B\r\n" A_FILE "\r\r\r\r\n-\r\r\n--B--",
		     "f=a.txt:\r\r\r\r\n-\r.!");
	/* letters have a case here */
	assert_parts("--B\r\n" A_FILE "\r\n--b\r\n--B--", "f=a.txt:\r\n--b.!");
}

static void a_boundary_that_starts_like_its_own_middle_is_found(void **state)
{
	(void)state;
	check("multipart/form-data; boundary=--a--a",
	      SPAN("----a--a\r\n" A_FILE
		   "\r\n----a-\r\n----a\r\n--\r\n----a--a--"),
	      SPAN("f=a.txt:\r\n----a-\r\n----a\r\n--.!"), ERR_OK, true);
}

static void a_boundary_in_a_head_does_not_count(void **state)
{
	(void)state;
	assert_parts("--B\r\nContent-Disposition: form-data; name=\"--B\"; "
		     "filename=\"--B--\"\r\n\r\nx\r\n--B--",
		     "--B=--B--:x.!");
}

static void text_after_a_boundary_on_its_line_is_refused(void **state)
{
	(void)state;
	assert_refused("--B\r\n" A_FILE "x\r\n--Bc\r\n--B--");
	assert_refused("--Bc\r\n" A_FILE "x\r\n--B--");
	assert_refused("--B-x" A_FILE);
	assert_refused("--B\rx" A_FILE);
	assert_refused("--B\n" A_FILE);
	assert_refused("--B \t xy");
}

static void blanks_may_follow_a_boundary(void **state)
{
	(void)state;
	/* RFC 2046 5.1.1: transport-padding */
	assert_parts("--B \t \r\n" A_FILE "x\r\n--B\t\r\n" FIELD
		     "y\r\n--B-- \r\n",
		     "f=a.txt:x.a:y.!");
}

/* --- around the parts ----------------------------------------------------- */

static void text_before_the_first_boundary_is_skipped(void **state)
{
	(void)state;
	assert_parts("\r\n--B\r\n" FIELD "x\r\n--B--", "a:x.!");
	assert_parts("This is a preamble.\r\n--B\r\n" FIELD "x\r\n--B--",
		     "a:x.!");
	assert_parts("--A\r\n--b\r\n\r--B--\r\n--B\r\n" FIELD "x\r\n--B--",
		     "a:x.!");
	assert_parts("x--B\r\n--B\r\n" FIELD "x\r\n--B--", "a:x.!");
}

static void text_after_the_closing_boundary_is_skipped(void **state)
{
	(void)state;
	assert_parts("--B\r\n" FIELD "x\r\n--B--anything", "a:x.!");
	assert_parts("--B\r\n" FIELD "x\r\n--B--\r\n--b\r\n", "a:x.!");
}

static void a_part_after_the_closing_boundary_is_refused(void **state)
{
	struct trace t;

	(void)state;
	parse_every_way(&t, SPAN(FORM),
			SPAN("--B\r\n" FIELD "x\r\n--B--\r\n--B\r\n" A_FILE
			     "y\r\n--B--"));
	assert_err(t.e, ERR_FORMAT);
	assert_span(buf_span(&t.text), "a:x.!");
	buf_release(&t.text);
}

static void a_first_boundary_may_follow_a_bare_lf(void **state)
{
	(void)state;
	/* or its part would be skipped as preamble */
	assert_parts("\n--B\r\n" A_FILE "x\r\n--B\r\n" FIELD "y\r\n--B--",
		     "f=a.txt:x.a:y.!");
	assert_parts("preamble\n--B\r\n" A_FILE "x\r\n--B--", "f=a.txt:x.!");
}

static void a_body_without_its_closing_boundary_is_incomplete(void **state)
{
	/* cut after any byte before the last "-" */
	const struct span body =
		SPAN("--B\r\n" FIELD "one\r\n--B\r\n" A_FILE "two\r\n--B--");
	struct trace t;

	(void)state;
	for (size_t n = 0; n <= body.len; n++) {
		parse(&t, SPAN(FORM), (struct span) { body.p, n }, 5);
		assert_ok(t.e);
		assert_int_equal(t.complete, n == body.len);
		buf_release(&t.text);
	}
}

static void a_part_that_was_cut_off_has_no_end_event(void **state)
{
	(void)state;
	check(FORM, SPAN("--B\r\n" A_FILE "tw"), SPAN("f=a.txt:tw"), ERR_OK,
	      false);
	/* nor where the boundary may have begun: its bytes are held back */
	check(FORM, SPAN("--B\r\n" A_FILE "two\r\n--"), SPAN("f=a.txt:two"),
	      ERR_OK, false);
	/* the boundary is there, and the part is over, but not the body */
	check(FORM, SPAN("--B\r\n" A_FILE "two\r\n--B"), SPAN("f=a.txt:two."),
	      ERR_OK, false);
}

/* --- the boundary parameter ----------------------------------------------- */

static void a_boundary_may_be_quoted(void **state)
{
	(void)state;
	check("multipart/form-data; charset=UTF-8; BOUNDARY=\"a b;c=d,e\"",
	      SPAN("--a b;c=d,e\r\n" FIELD "x\r\n--a b;c=d,e--"), SPAN("a:x.!"),
	      ERR_OK, true);
	check("multipart/form-data;boundary=----=_Part_7.1'()+_,-./:=?",
	      SPAN("------=_Part_7.1'()+_,-./:=?\r\n" FIELD
		   "x\r\n------=_Part_7.1'()+_,-./:=?--"),
	      SPAN("a:x.!"), ERR_OK, true);
}

static void a_missing_boundary_is_refused(void **state)
{
	static const char *const types[] = {
		"multipart/form-data",
		"multipart/form-data;",
		"multipart/form-data; boundary",
		"multipart/form-data; boundary=",
		"multipart/form-data; boundary=\"\"",
		"multipart/form-data; boundary=\"B",
		"multipart/form-data; boundary=\"a\rb\"",
		"multipart/form-data; boundary=\"a\nb\"",
		"multipart/form-data; xboundary=B",
		"",
	};
	struct multipart *m = malloc(sizeof(*m));

	(void)state;
	assert_non_null(m);
	for (size_t i = 0; i < COUNT(types); i++)
		assert_err(multipart_init(m, span_of(types[i])), ERR_FORMAT);
	assert_err(multipart_init(m, (struct span) { NULL, 0 }), ERR_FORMAT);
	free(m);
}

static void a_boundary_has_a_maximum_length(void **state)
{
	char type[64 + MULTIPART_BOUNDARY_MAX];
	char body[64 + 3 * MULTIPART_BOUNDARY_MAX];
	char b[MULTIPART_BOUNDARY_MAX + 2];
	struct multipart *m = malloc(sizeof(*m));

	(void)state;
	assert_non_null(m);
	memset(b, 'b', sizeof(b));
	b[MULTIPART_BOUNDARY_MAX + 1] = '\0';
	(void)snprintf(type, sizeof(type), "multipart/form-data; boundary=%s",
		       b);
	assert_err(multipart_init(m, span_of(type)), ERR_FORMAT);
	free(m);

	b[MULTIPART_BOUNDARY_MAX] = '\0';
	(void)snprintf(type, sizeof(type), "multipart/form-data; boundary=%s",
		       b);
	(void)snprintf(body, sizeof(body), "--%s\r\n" FIELD "x\r\n--%s--", b,
		       b);
	check(type, span_of(body), SPAN("a:x.!"), ERR_OK, true);
}

/* --- heads ---------------------------------------------------------------- */

/* A head of `n` bytes, its empty line included, and then a part */
static void parse_head_of(struct trace *t, size_t n, size_t piece)
{
	static const char first[] =
		"Content-Disposition: form-data; name=\"a\"\r\nX: ";
	char *body = malloc(n + 64);
	size_t len = 5;

	assert_non_null(body);
	memcpy(body, "--B\r\n", 5);
	memset(body + 5, 'x', n);
	memcpy(body + 5, first, sizeof(first) - 1);
	len += n;
	memcpy(body + len - 4, "\r\n\r\n", 4);
	memcpy(body + len, "y\r\n--B--", 8);
	len += 8;
	parse(t, SPAN(FORM), (struct span) { body, len }, piece);
	free(body);
}

static void a_head_has_a_maximum_length(void **state)
{
	static const size_t pieces[] = { 1, 2, 63, 4096, 65536 };
	struct trace t;

	(void)state;
	for (size_t i = 0; i < COUNT(pieces); i++) {
		parse_head_of(&t, MULTIPART_HEAD_MAX, pieces[i]);
		assert_ok(t.e);
		assert_span(buf_span(&t.text), "a:y.!");
		buf_release(&t.text);
		parse_head_of(&t, MULTIPART_HEAD_MAX + 1, pieces[i]);
		assert_err(t.e, ERR_TOO_LARGE);
		buf_release(&t.text);
	}
}

static void a_head_without_end_is_too_large(void **state)
{
	struct multipart *m = malloc(sizeof(*m));
	struct trace t;

	(void)state;
	assert_non_null(m);
	begin(m, &t, SPAN(FORM));
	feed(m, &t, SPAN("--B\r\n"));
	for (int i = 0; i < 2 * MULTIPART_HEAD_MAX && t.e == ERR_OK; i++)
		feed(m, &t, SPAN("\n"));
	assert_err(t.e, ERR_TOO_LARGE);
	buf_release(&t.text);
	free(m);
}

static void the_longest_file_name_in_a_head_is_whole(void **state)
{
	static const char before[] =
		"Content-Disposition: form-data; name=n; filename=\"";
	const size_t len = MULTIPART_HEAD_MAX - sizeof(before) + 1 - 5;
	char body[MULTIPART_HEAD_MAX + 64];
	struct trace t;

	(void)state;
	(void)snprintf(body, sizeof(body), "--B\r\n%s%0*d\"\r\n\r\n\r\n--B--",
		       before, (int)len, 0);
	parse(&t, SPAN(FORM), span_of(body), 100);
	assert_ok(t.e);
	assert_true(t.complete);
	assert_int_equal(t.text.len, len + strlen("n=:.!"));
	buf_release(&t.text);
}

static void other_header_lines_are_skipped(void **state)
{
	(void)state;
	assert_parts("--B\r\nX-Custom:\r\nCONTENT-TYPE:  Image/PNG \r\n"
		     "content-DISPOSITION:form-data;name=a;filename=b\r\n"
		     "Content-Transfer-Encoding: binary\r\n\r\nx\r\n--B--",
		     "a=b(Image/PNG):x.!");
}

static void a_head_without_form_data_is_refused(void **state)
{
	static const char *const heads[] = {
		"",
		"Content-Type: text/plain\r\n",
		"Content-Disposition\r\n",
		"Content-Disposition: form-data\r\n",
		"Content-Disposition: form-data;\r\n",
		"Content-Disposition: form-data; name=\"a\"; name=\"b\"\r\n",
		"Content-Disposition: form-data; filename=\"a\"; "
		"filename=\"b\"\r\n",
		"Content-Disposition: form-data; name=\"a\"\r\n\tfolded\r\n",
		"Content-Disposition: attachment; name=\"a\"\r\n",
		"Content-Disposition: form-data name=\"a\"\r\n",
		"Content-Disposition: form-data; name=\"a\r\n",
		"Content-Disposition: form-data; name=\"a\" filename=\"b\"\r\n",
		"Content-Disposition: form-data; name=\"a\"; =\"b\"\r\n",
		"Content-Disposition: form-data; name=\"a\"; b\r\n",
		"Content-Disposition : form-data; name=\"a\"\r\n",
		"Content-Disposition: form-data; name=\"a\"\r\nno colon\r\n",
		"Content-Disposition: form-data; name=\"a\"\r\n: none\r\n",
		"Content-Disposition: form-data; name=\"a\"\r\nA B: c\r\n",
		/* what one reader takes from the first, another takes from the
		 * second */
		"Content-Disposition: form-data; name=\"a\"\r\n"
		"Content-Disposition: form-data; name=\"b\"\r\n",
	};
	char body[256];

	(void)state;
	for (size_t i = 0; i < COUNT(heads); i++) {
		(void)snprintf(body, sizeof(body), "--B\r\n%s\r\nx\r\n--B--",
			       heads[i]);
		refused(FORM, span_of(body), ERR_FORMAT);
	}
}

static void a_hostile_head_stays_data(void **state)
{
	(void)state;
	/* nothing is cut off at a NUL: file_name.h refuses the name */
	assert_parts("--B\r\nContent-Disposition: form-data; name=\"a\0b\"; "
		     "filename=\"../c\0d\rX: y\"\r\n\r\nx\r\n--B--",
		     "a\0b=../c\0d\rX: y:x.!");
	/* quotes inside quotes open nothing */
	assert_parts("--B\r\nContent-Disposition: form-data; "
		     "name=\"a\\\"; filename=\\\"evil\"\r\n\r\nx\r\n--B--",
		     "a\"; filename=\"evil:x.!");
}

/* --- file names as they are sent ------------------------------------------ */

static void check_file(const char *file, const char *want)
{
	char body[512], text[512];

	(void)snprintf(body, sizeof(body),
		       "--B\r\nContent-Disposition: form-data; name=\"f\"; "
		       "%s\r\n\r\nx\r\n--B--",
		       file);
	(void)snprintf(text, sizeof(text), "f=%s:x.!", want);
	check(FORM, span_of(body), span_of(text), ERR_OK, true);
}

static void a_quote_in_a_name_survives_each_client(void **state)
{
	(void)state;
	/* curl --form-escape, Firefox before 90, Python */
	check_file("filename=\"a\\\"b.txt\"", "a\"b.txt");
	/* curl, Chrome, Firefox */
	check_file("filename=\"a%22b.txt\"", "a\"b.txt");
	check_file("filename=\"%22%22\"", "\"\"");
	check_file("filename=\"%22\"", "\"");
	check_file("filename=\"%%222\"", "%\"2");
	/* which write nothing else so */
	check_file("filename=\"%2\"", "%2");
	check_file("filename=\"%2522 100% %2f%0a\"", "%2522 100% %2f%0a");
	/* curl --form-escape doubles a backslash */
	check_file("filename=\"a\\\\b.txt\"", "a\\b.txt");
	check_file("filename=\"a\\\\\"", "a\\");
}

static void a_windows_path_keeps_its_backslashes(void **state)
{
	(void)state;
	check_file("filename=\"C:\\Users\\me\\notes.txt\"",
		   "C:\\Users\\me\\notes.txt");
}

static void a_name_may_be_utf_8_or_any_bytes(void **state)
{
	(void)state;
	check_file("filename=\"gr\xc3\xbc\xc3\x9f.txt\"",
		   "gr\xc3\xbc\xc3\x9f.txt");
	check_file("filename=\"latin-\xfc.txt\"", "latin-\xfc.txt");
}

static void a_name_may_have_the_separators_of_parameters(void **state)
{
	(void)state;
	check_file("filename=\"a;b=c,d.txt\"", "a;b=c,d.txt");
	check_file("filename=\" a \"", " a ");
}

static void a_name_may_have_no_quotes(void **state)
{
	(void)state;
	check_file("filename=a.txt", "a.txt");
	check_file("filename=a.txt ; x=y", "a.txt");
}

static void an_empty_file_input_is_a_file_without_a_name(void **state)
{
	(void)state;
	check_file("filename=\"\"", "");
	check_file("filename=", "");
}

static void an_extended_file_name_counts(void **state)
{
	(void)state;
	check_file("filename*=UTF-8''a.txt", "a.txt");
	check_file("filename=\"a.txt\"; filename*=UTF-8''b.txt", "b.txt");
}

static void a_file_may_have_no_field_name(void **state)
{
	(void)state;
	assert_parts("--B\r\nContent-Disposition: form-data; "
		     "filename=\"a.txt\"\r\n\r\nx\r\n--B--",
		     "=a.txt:x.!");
}

static void the_parts_of_a_form_are_counted(void **state)
{
	static const char *const bodies[] = {
		"--B\r\n" FIELD "x\r\n--B\r\n" A_FILE "y\r\n--B--",
		"--B\r\n" FIELD "x\r\n--B\r\nmalformed\r\n\r\n",
	};
	struct multipart *m = malloc(sizeof(*m));
	struct trace t;

	(void)state;
	assert_non_null(m);
	for (size_t i = 0; i < COUNT(bodies); i++) {
		begin(m, &t, SPAN(FORM));
		feed(m, &t, span_of(bodies[i]));
		assert_int_equal(m->parts, 2);
		buf_release(&t.text);
	}
	free(m);
}

/* --- properties over random bodies ---------------------------------------- */

static uint64_t seed;

/* xorshift64*, for the same bodies everywhere */
static uint32_t random_below(uint32_t n)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (uint32_t)((seed * 0x2545f4914f6cdd1dULL) >> 33) % n;
}

/* Text of the characters of delimiters, but without `delimiter` */
static void add_noise(struct buf *to, struct span delimiter)
{
	static const char *const bits[] = { "\r", "\n", "\r\n",	  "-", "--",
					    "B",  "b",	"\r\n--", "",  "x" };
	size_t begun = to->len, n = random_below(24);
	struct span tail;

	while (n-- > 0)
		buf_add_str(to, bits[random_below(COUNT(bits))]);
	/* The delimiter must come no earlier than behind the noise */
	tail = span_from(buf_span(to), begun);
	for (size_t i = 0; i + delimiter.len <= tail.len; i++) {
		if (span_has_prefix(span_from(tail, i), delimiter)) {
			to->len = begun + i;
			break;
		}
	}
}

struct sample {
	struct buf body, want;
	char type[64];
};

static void make_sample(struct sample *s)
{
	static const char *const boundaries[] = { "B",	  "-",	 "--",
						  "---B", "-B-", "BB" };
	const char *b = boundaries[random_below(COUNT(boundaries))];
	char delimiter[16];

	(void)snprintf(s->type, sizeof(s->type),
		       "multipart/form-data; boundary=%s", b);
	(void)snprintf(delimiter, sizeof(delimiter), "\r\n--%s", b);
	buf_init(&s->body, 1 << 16);
	buf_init(&s->want, 1 << 16);
	if (random_below(2) == 0) {
		buf_add_str(&s->body, "preamble");
		add_noise(&s->body, span_of(delimiter + 1));
		buf_add_str(&s->body, "\r\n");
	}
	for (uint32_t parts = random_below(4); parts > 0; parts--) {
		size_t begun;

		buf_printf(&s->body, "--%s%s\r\n" A_FILE, b,
			   random_below(4) == 0 ? " \t" : "");
		begun = s->body.len;
		add_noise(&s->body, span_of(delimiter));
		buf_add_str(&s->want, "f=a.txt:");
		buf_add(&s->want, span_from(buf_span(&s->body), begun));
		buf_add_char(&s->want, '.');
		buf_add_str(&s->body, "\r\n");
	}
	buf_printf(&s->body, "--%s--", b);
	buf_add_char(&s->want, '!');
	if (random_below(2) == 0)
		add_noise(&s->body, span_of(delimiter));
}

static void random_bodies_are_parsed_unchanged(void **state)
{
	struct sample s;
	struct trace t;

	(void)state;
	seed = 20260101;
	for (int i = 0; i < 3000; i++) {
		size_t sizes[] = { 1, 1 + random_below(16), 1 << 16 };

		make_sample(&s);
		assert_ok(buf_error(&s.body));
		for (size_t k = 0; k < COUNT(sizes); k++) {
			parse(&t, span_of(s.type), buf_span(&s.body), sizes[k]);
			assert_ok(t.e);
			assert_true(t.complete);
			unit_span_is(buf_span(&t.text), s.want.p, s.want.len,
				     __FILE__, __LINE__);
			buf_release(&t.text);
		}
		buf_release(&s.body);
		buf_release(&s.want);
	}
}

static void random_bytes_are_parsed_the_same_in_any_pieces(void **state)
{
	struct trace whole, t;
	struct buf body;

	(void)state;
	seed = 7578;
	for (int i = 0; i < 1500; i++) {
		buf_init(&body, 1 << 16);
		/* most are refused, which must not depend on the cut either */
		for (uint32_t n = 1 + random_below(4); n > 0; n--) {
			if (random_below(4) > 0)
				buf_add_str(&body, "\r\n--B\r\n");
			if (random_below(4) > 0)
				buf_add_str(&body, FIELD);
			add_noise(&body, SPAN("no delimiter"));
		}
		parse(&whole, SPAN(FORM), buf_span(&body), body.len + 1);
		parse(&t, SPAN(FORM), buf_span(&body), 1);
		assert_same(&t, &whole);
		buf_release(&t.text);
		parse(&t, SPAN(FORM), buf_span(&body), 1 + random_below(9));
		assert_same(&t, &whole);
		buf_release(&t.text);
		buf_release(&whole.text);
		buf_release(&body);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(fields_and_files_are_returned_in_order),
		TEST(the_example_of_rfc_7578_is_parsed),
		TEST(an_empty_part_has_no_bytes),
		TEST(a_part_may_have_any_byte),
		TEST(a_body_without_parts_is_complete),
		TEST(a_boundary_follows_a_crlf),
		TEST(lines_that_arrive_together_are_one_event),
		TEST(half_a_boundary_is_data),
		TEST(a_boundary_that_starts_like_its_own_middle_is_found),
		TEST(a_boundary_in_a_head_does_not_count),
		TEST(text_after_a_boundary_on_its_line_is_refused),
		TEST(blanks_may_follow_a_boundary),
		TEST(text_before_the_first_boundary_is_skipped),
		TEST(text_after_the_closing_boundary_is_skipped),
		TEST(a_part_after_the_closing_boundary_is_refused),
		TEST(a_first_boundary_may_follow_a_bare_lf),
		TEST(a_body_without_its_closing_boundary_is_incomplete),
		TEST(a_part_that_was_cut_off_has_no_end_event),
		TEST(a_boundary_may_be_quoted),
		TEST(a_missing_boundary_is_refused),
		TEST(a_boundary_has_a_maximum_length),
		TEST(a_head_has_a_maximum_length),
		TEST(a_head_without_end_is_too_large),
		TEST(the_longest_file_name_in_a_head_is_whole),
		TEST(other_header_lines_are_skipped),
		TEST(a_head_without_form_data_is_refused),
		TEST(a_hostile_head_stays_data),
		TEST(a_quote_in_a_name_survives_each_client),
		TEST(a_windows_path_keeps_its_backslashes),
		TEST(a_name_may_be_utf_8_or_any_bytes),
		TEST(a_name_may_have_the_separators_of_parameters),
		TEST(a_name_may_have_no_quotes),
		TEST(an_empty_file_input_is_a_file_without_a_name),
		TEST(an_extended_file_name_counts),
		TEST(a_file_may_have_no_field_name),
		TEST(the_parts_of_a_form_are_counted),
		TEST(random_bodies_are_parsed_unchanged),
		TEST(random_bytes_are_parsed_the_same_in_any_pieces),
	};

	return RUN(tests);
}
