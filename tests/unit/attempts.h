/* attempts.h - attempts to log in, for the tests of throttle.h: on a real
 * table, with the clock of the test.
 */
#ifndef ATTEMPTS_H
#define ATTEMPTS_H

#include "tests/unit/schema.h"

#include "cgi-auth/tables/throttle.h"

enum { T0 = 1700000000, LIMITED = 1 };

static const struct throttle_rules rules = {
	.failures = 5, .address = 30, .window = 600, .max = 900
};
static struct db *db;

static inline int set_up_all(void **state)
{
	(void)state;
	schema_auth("010-throttle");
	schema_auth("011-known-address");
	schema_auth("047-throttle-slot");
	db = mariadb_pool(16);
	return 0;
}

static inline int tear_down_all(void **state)
{
	(void)state;
	db_close(db);
	return 0;
}

static inline void ignore(enum err e)
{
	(void)e;
}

static inline int set_up(void **state)
{
	(void)state;
	ignore(db_change(db, "DELETE FROM throttle", DB_NONE, NULL));
	ignore(db_change(db, "DELETE FROM known_address", DB_NONE, NULL));
	return 0;
}

static inline struct client at(const char *address)
{
	struct client c;

	client_parse(span_of(address), SPAN(""), SPAN(""), &c);
	return c;
}

/* Returns the seconds to wait; or 0, and *t is filled */
static inline int64_t enter(const char *email, const char *address, int64_t now,
			    struct throttle_ticket *t)
{
	struct client c = at(address);
	struct errmsg why = { "" };
	int64_t wait = -1;
	enum err e = throttle_enter(db, &rules, span_of(email), &c, now, t,
				    &wait, &why);

	if (e == ERR_OK)
		return 0;
	assert_string_equal(why.text, "");
	assert_err(e, ERR_LIMITED);
	assert_true(wait >= 1);
	return wait;
}

static inline void leave(const struct throttle_ticket *t, enum err outcome,
			 int64_t now)
{
	struct errmsg why = { "" };
	enum err e = throttle_leave(db, &rules, t, outcome, now, &why);

	assert_string_equal(why.text, "");
	assert_ok(e);
}

/* A whole attempt, which is counted if it is not refused */
static inline int64_t attempt(const char *email, const char *address,
			      int64_t now, enum err outcome)
{
	struct throttle_ticket t;
	int64_t wait = enter(email, address, now, &t);

	if (wait == 0)
		leave(&t, outcome, now);
	return wait;
}

static inline void fail_times(const char *email, const char *address,
			      int64_t now, int n)
{
	for (int i = 0; i < n; i++)
		assert_int_equal(attempt(email, address, now, ERR_CREDENTIALS),
				 0);
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup(name, set_up)

#endif
