/* Changes that require a file to be still as it was found. */
#include "cgi-gateway/tables/files.h"
#include "tests/unit/cgi-gateway/owners.h"

static const struct file made = {
	.id = "0190b3a2-0000-7000-8000-000000000001",
	.owner = ANN,
	.name = "name",
	.type = "text/plain",
	.size = 1,
	.created_at = NOW,
};

static struct session_check *ann(void)
{
	static struct request rq;
	static struct session_check c;

	rq = (struct request) { .now = NOW };
	session_show(&rq, session_of(ANN), NULL);
	session_check_init(&c, &rq, "files:write");
	return &c;
}

static int add(void **state)
{
	int failed = owners_clear(state);

	assert_ok(files_add(db, ann(), 0, &unlimited, &made, 1, NULL, &why));
	return failed;
}

static enum err change_from(const struct file *from, const char *name,
			    int64_t expires_at)
{
	struct file f = made;

	(void)snprintf(f.name, sizeof(f.name), "%s", name);
	f.expires_at = expires_at;
	return files_update(db, ann(), &f,
			    (struct files_changed) { true, true, from }, &why);
}

static enum err remove_from(const struct file *from)
{
	return files_remove_from(db, ann(), 0, span_of(made.id), from, NULL,
				 &why);
}

static struct file found(void)
{
	struct file f;

	assert_ok(files_find(db, ann(), 0, span_of(made.id), &f, &why));
	return f;
}

static void a_file_that_is_as_it_was_found_is_changed(void **state)
{
	struct file f = found();

	(void)state;
	assert_ok(change_from(&f, "new", NOW + 60));
	assert_string_equal(found().name, "new");
	f = found();
	assert_ok(change_from(&f, "new", FILES_NEVER));
	assert_true(found().expires_at == FILES_NEVER);
	f = found();
	assert_ok(remove_from(&f));
}

static void a_file_that_was_changed_since_is_not_changed(void **state)
{
	static const struct {
		const char *name;
		int64_t expires_at;
	} changes[] = {
		{ "other", FILES_NEVER },
		/* The collation of the column takes these for the same name */
		{ "NAME", FILES_NEVER },
		{ "name ", FILES_NEVER },
		{ "n\xc3\xa2me", FILES_NEVER },
		{ "name", NOW + 60 },
	};
	const struct file first = found();

	(void)state;
	for (size_t i = 0; i < COUNT(changes); i++) {
		assert_ok(change_from(NULL, changes[i].name,
				      changes[i].expires_at));
		assert_err(change_from(&first, "mine", NOW + 1), ERR_NOT_FOUND);
		assert_err(remove_from(&first), ERR_NOT_FOUND);
		assert_string_equal(found().name, changes[i].name);
		assert_true(found().expires_at == changes[i].expires_at);
	}
	assert_ok(change_from(NULL, first.name, first.expires_at));
	assert_ok(remove_from(&first));
}

static void a_refused_removal_stays_counted(void **state)
{
	struct file other = found();
	struct usage u;

	(void)state;
	other.expires_at = NOW + 1;
	assert_err(remove_from(&other), ERR_NOT_FOUND);
	assert_ok(quota_usage(db, ann(), 0, &unlimited, &u, &why));
	assert_int_equal(u.files, 1);
	assert_ok(remove_from(NULL));
	assert_ok(quota_usage(db, ann(), 0, &unlimited, &u, &why));
	assert_int_equal(u.files, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			a_file_that_is_as_it_was_found_is_changed, add),
		cmocka_unit_test_setup(
			a_file_that_was_changed_since_is_not_changed, add),
		cmocka_unit_test_setup(a_refused_removal_stays_counted, add),
	};

	(void)argc;
	mariadb_needed(argv);
	return cmocka_run_group_tests(tests, owners_open, owners_close);
}
