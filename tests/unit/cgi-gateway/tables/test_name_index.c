#include "cgi-gateway/tables/name_index.h"
#include "tests/unit/cgi-gateway/owners.h"

enum { RANDOM_FILES = 3000, MANY = 20000 };

static struct asker ann, bob;

/* --- files, and what a search finds --------------------------------------- */

static const char *id_of(int n)
{
	static char id[UUID_LEN + 1];

	(void)snprintf(id, sizeof(id), "0190b3a2-%04x-7000-8000-%012x",
		       (unsigned)(n >> 16 & 0xffff), (unsigned)(n & 0xffff));
	return id;
}

static struct file made(int n, const char *name)
{
	struct file f = { .type = "text/plain",
			  .claimed_type = "text/plain",
			  .size = 1,
			  .created_at = NOW,
			  .expires_at = FILES_NEVER };

	(void)snprintf(f.id, sizeof(f.id), "%s", id_of(n));
	(void)snprintf(f.name, sizeof(f.name), "%s", name);
	return f;
}

static void add(struct asker *who, uint64_t owner, int n, const char *name)
{
	struct file f = made(n, name);

	assert_ok(files_add(db, asking(who, owner), 0, &unlimited, &f, 1, NULL,
			    &why));
}

/* As a program of an older version does */
static void add_old(uint64_t owner, int n, const char *name)
{
	assert_ok(db_change(
		db,
		"INSERT INTO file (id, owner, name, type, size, sha256,"
		" created_at) VALUES (?, ?, ?, 'text/plain', 1,"
		" REPEAT('s', 32), 1000)",
		DB_IN(db_text(span_of(id_of(n))), db_uint(owner),
		      db_text(span_of(name))),
		&why));
}

static struct file row;
static struct {
	char ids[RANDOM_FILES + 1][UUID_LEN + 1];
	size_t count;
} found;

static enum err keep(void *arg)
{
	(void)arg;
	assert_true(found.count < COUNT(found.ids));
	memcpy(found.ids[found.count++], row.id, sizeof(row.id));
	return ERR_OK;
}

static size_t search_page(uint64_t owner, const char *part, const char *after,
			  int64_t limit)
{
	const struct files_page page = { .user = owner,
					 .after = span_of(after),
					 .part = span_of(part),
					 .limit = limit };

	found.count = 0;
	assert_ok(files_list(db, asking(owner == ANN ? &ann : &bob, owner),
			     &page, &row, keep, NULL, &why));
	return found.count;
}

static size_t search(const char *part)
{
	return search_page(ANN, part, "", FILES_LIST_MAX);
}

static void assert_found(const char *part, int n)
{
	if (search(part) != 1)
		print_error("\"%s\" is in %zu names\n", part, found.count);
	assert_int_equal(found.count, 1);
	assert_string_equal(found.ids[0], id_of(n));
}

static int64_t index_rows(void)
{
	int64_t n = -1;

	assert_ok(db_row(db, "SELECT COUNT(*) FROM file_gram", DB_NONE,
			 DB_OUT(db_to_int(&n)), &why));
	return n;
}

static int64_t index_all(void)
{
	int64_t count = 0, all = 0;
	enum err e;

	while ((e = name_index_rest(db, &count, &why)) == ERR_OK)
		all += count;
	assert_err(e, ERR_NOT_FOUND);
	return all;
}

/* --- names ---------------------------------------------------------------- */

#define NFC                  \
	"Gr\xc3\xbc\xc3\x9f" \
	"e.txt"
#define NFD                   \
	"Gru\xcc\x88\xc3\x9f" \
	"e.txt"
#define TEST_NFC "\xed\x85\x8c\xec\x8a\xa4\xed\x8a\xb8"
#define TEST_NFD                                                               \
	"\xe1\x84\x90\xe1\x85\xa6\xe1\x84\x89\xe1\x85\xb3\xe1\x84\x90\xe1\x85" \
	"\xb3"

static void a_name_is_found_however_it_was_composed(void **state)
{
	static const char *const parts[] = {
		NFC,	     NFD,  "grusse",   "GR\xc3\x9cSSE", "\xc3\xbc",
		"u\xcc\x88", "ru", "\xc3\x9f", "uss",
	};

	(void)state;
	add(&ann, ANN, 1, NFC);
	add(&ann, ANN, 2, NFD);
	add(&ann, ANN, 3, TEST_NFC);
	add(&ann, ANN, 4, TEST_NFD);
	add(&bob, BOB, 5, NFC);
	for (size_t i = 0; i < COUNT(parts); i++)
		assert_int_equal(search(parts[i]), 2);
	assert_int_equal(search(TEST_NFC), 2);
	assert_int_equal(search(TEST_NFD), 2);
	assert_int_equal(search("\xed\x85\x8c"), 2);
	assert_int_equal(search(""), 4);
	assert_int_equal(search("\xcc\x88"), 4);
	assert_int_equal(search_page(BOB, "grusse", "", 10), 1);
}

static void a_text_of_one_or_two_characters_is_found(void **state)
{
	(void)state;
	add(&ann, ANN, 1, "a.b");
	add(&ann, ANN, 2, "c");
	add(&ann, ANN, 3, "xx");
	add(&ann, ANN, 4, "\xf0\x9f\x98\x80");
	assert_found("a", 1);
	assert_found("b", 1);
	assert_found(".b", 1);
	assert_found("c", 2);
	assert_found("xx", 3);
	assert_found("\xf0\x9f\x98\x80", 4);
	assert_int_equal(search("b."), 0);
	assert_int_equal(search("\xf0\x9f\x98\x81"), 0);
}

/* --- changes -------------------------------------------------------------- */

static void a_renamed_file_is_found_by_its_new_name_only(void **state)
{
	struct file f = made(1, "old name.txt");

	(void)state;
	add(&ann, ANN, 1, f.name);
	f.owner = ANN;
	(void)snprintf(f.name, sizeof(f.name), "another.pdf");
	assert_ok(files_update(db, asking(&ann, ANN), &f,
			       (struct files_changed) { .name = true }, &why));
	assert_int_equal(search("old name"), 0);
	assert_int_equal(search(".txt"), 0);
	assert_found("another", 1);
	assert_int_equal(index_rows(), 11); /* those of the new name */
	f.owner = BOB;
	assert_err(files_update(db, asking(&bob, BOB), &f, BOTH, &why),
		   ERR_NOT_FOUND);
	assert_found("another", 1);
}

static void a_deleted_file_leaves_nothing_in_the_index(void **state)
{
	struct file f = made(2, "expired.txt");

	(void)state;
	f.expires_at = NOW - 1;
	add(&ann, ANN, 1, "one.txt");
	assert_ok(files_add(db, asking(&ann, ANN), 0, &unlimited, &f, 1, NULL,
			    &why));
	f.owner = ANN;
	assert_int_equal(search("expired"), 0);
	assert_ok(files_remove(db, asking(&ann, ANN), 0, span_of(id_of(1)),
			       NULL, &why));
	assert_ok(files_delete_expired(db, &f, NOW, NULL, &why));
	assert_int_equal(index_rows(), 0);
	assert_int_equal(file_table_rows(db), 0);
}

static void a_refused_upload_leaves_nothing_in_the_index(void **state)
{
	const struct file two[] = { made(1, "one"), made(1, "same id") };

	(void)state;
	assert_err(files_add(db, asking(&ann, ANN), 0, &unlimited, two, 2, NULL,
			     &why),
		   ERR_CONFLICT);
	assert_int_equal(index_rows(), 0);
}

/* --- rows of an older version --------------------------------------------- */

static void a_row_of_an_older_version_is_found_before_it_is_indexed(
	void **state)
{
	(void)state;
	add_old(ANN, 1, "old " NFC);
	add(&ann, ANN, 2, "new " NFD);
	add_old(BOB, 3, "bob's 100%");
	assert_found("old", 1);
	assert_found("new", 2);
	assert_int_equal(search("GR\xc3\x9c"), 2);
	assert_int_equal(search(" "), 2);
	assert_int_equal(search_page(BOB, "0%", "", 10), 1);
	assert_int_equal(search_page(BOB, "_", "", 10), 0);
	assert_int_equal(index_all(), 2);
	assert_found("old", 1);
	assert_int_equal(search(NFC), 2);
	assert_int_equal(search_page(BOB, "0%", "", 10), 1);
	assert_int_equal(index_all(), 0);
}

static void an_old_row_can_be_renamed_and_deleted(void **state)
{
	struct file f = made(1, "new");

	(void)state;
	add_old(ANN, 1, "old");
	add_old(ANN, 2, "deleted");
	f.owner = ANN;
	assert_ok(files_update(db, asking(&ann, ANN), &f, BOTH, &why));
	assert_ok(files_remove(db, asking(&ann, ANN), 0, span_of(id_of(2)),
			       NULL, &why));
	assert_int_equal(index_all(), 0);
	assert_found("new", 1);
	assert_int_equal(index_rows(), 3);
}

/* --- many files ----------------------------------------------------------- */

static char names[RANDOM_FILES + 1][FILE_NAME_MAX + 1];

static unsigned next_random(void)
{
	static unsigned x = 1;

	x = x * 1103515245 + 12345;
	return x >> 16;
}

/* Names of few letters, so that texts are in many and in few of them */
static void fill_with_random_names(void)
{
	static const char *const letters[] = { "a", "a",	"b",
					       "C", "\xc3\xbc", "e\xcc\x81",
					       ".", "1" };

	for (int n = 1; n <= RANDOM_FILES; n++) {
		size_t at = 0;

		for (int i = 0; i <= n % 9; i++) {
			const char *s = letters[next_random() % 8];

			memcpy(names[n] + at, s, strlen(s));
			at += strlen(s);
		}
		names[n][at] = '\0';
		add_old(ANN, n, names[n]);
	}
	assert_int_equal(index_all(), RANDOM_FILES);
}

/* Every page of a search has the files that a walk over all names finds */
static void assert_agrees(const char *part)
{
	char folded[NAME_FOLD_MAX + 1], name[NAME_FOLD_MAX + 1];
	char after[UUID_LEN + 1] = "";
	size_t at = 0;

	assert_ok(name_fold(span_of(part), folded));
	(void)search_page(ANN, part, after, 50);
	for (int n = RANDOM_FILES; n > 0; n--) {
		assert_ok(name_fold(span_of(names[n]), name));
		if (strstr(name, folded) == NULL)
			continue;
		if (at == 50) {
			memcpy(after, found.ids[49], sizeof(after));
			(void)search_page(ANN, part, after, 50);
			at = 0;
		}
		if (at >= found.count)
			print_error("\"%s\" lacks \"%s\"\n", part, names[n]);
		assert_true(at < found.count);
		assert_string_equal(found.ids[at++], id_of(n));
	}
	assert_int_equal(found.count, at);
}

static void a_search_agrees_with_a_walk_over_all_names(void **state)
{
	static const char *const parts[] = {
		"a",   "A",	    "aa",      ".", "\xc3\xbc", "aaa", "cUe",
		"1.a", "E\xcc\x81", "aaaaaaa", "z", "zz",	"zzz", "a1a1"
	};

	(void)state;
	fill_with_random_names();
	for (size_t i = 0; i < COUNT(parts); i++)
		assert_agrees(parts[i]);
	for (int i = 0; i < 60; i++)
		assert_agrees(names[1 + next_random() % RANDOM_FILES]);
}

static int64_t reads(struct db *one)
{
	int64_t n = -1;

	assert_ok(db_row(one,
			 "SELECT SUM(variable_value)"
			 "  FROM information_schema.session_status"
			 " WHERE variable_name IN ('HANDLER_READ_KEY',"
			 " 'HANDLER_READ_NEXT', 'HANDLER_READ_PREV',"
			 " 'HANDLER_READ_RND_NEXT')",
			 DB_NONE, DB_OUT(db_to_int(&n)), &why));
	return n;
}

/* A walk reads MANY rows, and the beginning of a text is looked up in 8000 */
static void assert_reads_few(struct db *one, const char *part, size_t want)
{
	const struct files_page page = { .user = ANN,
					 .part = span_of(part),
					 .limit = 100 };
	int64_t before = reads(one), after;

	found.count = 0;
	assert_ok(files_list(one, asking(&ann, ANN), &page, &row, keep, NULL,
			     &why));
	after = reads(one);
	assert_int_equal(found.count, want);
	if (after - before > MANY * 3 / 4)
		print_error("%lld rows for \"%s\"\n",
			    (long long)(after - before), part);
	assert_true(after - before <= MANY * 3 / 4);
}

static void a_search_among_many_files_reads_few_rows(void **state)
{
	struct db *one = mariadb_pool(1);

	(void)state;
	assert_ok(db_change(
		db,
		"INSERT INTO file (id, owner, name, type, size, sha256,"
		" created_at) SELECT"
		" CONCAT('0190b3a2-0000-7000-8000-',"
		" LPAD(LOWER(HEX(seq)), 12, '0')), 42,"
		" IF(seq = 5, 'Grüße 5.txt', CONCAT('file ', seq, '.txt')),"
		" 'text/plain', 1, REPEAT('s', 32), 1000 FROM seq_1_to_20000",
		DB_NONE, &why));
	assert_int_equal(index_all(), MANY);
	assert_reads_few(one, "gru\xcc\x88sse", 1);
	assert_reads_few(one, "e 1.t", 1);
	assert_reads_few(one, "file 12345.txt", 1);
	assert_reads_few(one, "nothing is called so", 0);
	assert_reads_few(one, "file", 100);
	assert_reads_few(one, "txt", 100);
	assert_reads_few(one, "\xc3\x9c", 1);
	assert_reads_few(one, "us", 1);
	assert_reads_few(one, "z", 0);
	assert_reads_few(one, "x", 100);
	db_close(one);
}

/* --- the two ways to add a name -------------------------------------------- */

static int64_t grams_of(uint64_t owner)
{
	int64_t n = -1;

	assert_ok(db_row(db, "SELECT COUNT(*) FROM file_gram WHERE owner = ?",
			 DB_IN(db_uint(owner)), DB_OUT(db_to_int(&n)), &why));
	return n;
}

static int64_t common_grams(int of_ann, int of_bob)
{
	char id[UUID_LEN + 1];
	int64_t n = -1;

	(void)snprintf(id, sizeof(id), "%s", id_of(of_bob));
	/* clang-format off */
	assert_ok(db_row(db,
		"SELECT COUNT(*)"
		"  FROM file_gram a"
		"  JOIN file_gram b ON b.gram = a.gram"
		" WHERE a.owner = ? AND a.id = UNHEX(REPLACE(?, '-', ''))"
		"   AND b.owner = ? AND b.id = UNHEX(REPLACE(?, '-', ''))",
		DB_IN(db_uint(ANN), db_text(span_of(id_of(of_ann))),
		      db_uint(BOB), db_text(span_of(id))),
		DB_OUT(db_to_int(&n)), &why));
	/* clang-format on */
	return n;
}

/* Ann's is added by the database, Bob's by the program */
static void assert_added_alike(const char *name)
{
	struct file f = made(1, name);

	(void)owners_clear(NULL);
	add(&ann, ANN, 1, name);
	(void)snprintf(f.id, sizeof(f.id), "%s", id_of(2));
	assert_ok(files_add(db, NULL, BOB, &unlimited, &f, 1, NULL, &why));
	if (grams_of(BOB) != grams_of(ANN))
		print_error("\"%s\"\n", name);
	assert_int_equal(grams_of(BOB), grams_of(ANN));
	assert_int_equal(common_grams(1, 2), grams_of(ANN));
}

static void a_name_has_the_same_trigrams_in_both_ways(void **state)
{
	char name[FILE_NAME_MAX + 1] = "";

	(void)state;
	assert_added_alike("a");
	assert_added_alike("ab");
	assert_added_alike("abc");
	assert_added_alike("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.txt");
	assert_added_alike("Gr\xc3\xbc\xc3\x9f"
			   "e, \xe6\x96\x87\xe4\xbb\xb6 \xf0\x9f\x98\x80.PDF");
	assert_added_alike("\xcc\x81\xcc\x80"); /* accents alone */
	assert_added_alike("a b  c   d");
	for (size_t i = 0; i < 40; i++) {
		name[i] = (char)('a' + i * 7 % 26);
		assert_added_alike(name);
	}
}

int main(int argc, char **argv)
{
#define FIXTURE_TEST(name) cmocka_unit_test_setup(name, owners_clear)
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(a_name_has_the_same_trigrams_in_both_ways),
		FIXTURE_TEST(a_name_is_found_however_it_was_composed),
		FIXTURE_TEST(a_text_of_one_or_two_characters_is_found),
		FIXTURE_TEST(a_renamed_file_is_found_by_its_new_name_only),
		FIXTURE_TEST(a_deleted_file_leaves_nothing_in_the_index),
		FIXTURE_TEST(a_refused_upload_leaves_nothing_in_the_index),
		FIXTURE_TEST(
			a_row_of_an_older_version_is_found_before_it_is_indexed),
		FIXTURE_TEST(an_old_row_can_be_renamed_and_deleted),
		FIXTURE_TEST(a_search_agrees_with_a_walk_over_all_names),
		FIXTURE_TEST(a_search_among_many_files_reads_few_rows),
	};

	(void)argc;
	mariadb_needed(argv);
	return cmocka_run_group_tests(tests, owners_open, owners_close);
}
