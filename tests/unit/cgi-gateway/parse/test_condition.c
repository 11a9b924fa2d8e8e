#include "cgi-gateway/parse/condition.h"
#include "tests/unit/unit.h"

/* RFC 9110's own date */
#define MODIFIED "Sun, 06 Nov 1994 08:49:37 GMT"
#define EARLIER "Sun, 06 Nov 1994 08:49:36 GMT"
#define LATER "Sun, 06 Nov 1994 08:49:38 GMT"
enum { MODIFIED_AT = 784111777 };
#define ETAG "\"xyzzy\""
#define RECORD "\"record\""

static const struct validators file = { .etag = { ETAG, sizeof(ETAG) - 1 },
					.modified = MODIFIED_AT,
					.dated = true };
/* The JSON record of the same file: of no known date, and with the ETag of the
 * file's bytes as another one */
static const struct validators record = {
	.etag = { RECORD, sizeof(RECORD) - 1 },
	.other = { ETAG, sizeof(ETAG) - 1 },
	.modified = MODIFIED_AT,
};

static bool not_modified(const char *if_none_match, const char *since)
{
	const struct conditions c = {
		.if_none_match = span_of(if_none_match),
		.if_modified_since = span_of(since),
		.now = MODIFIED_AT,
	};

	return condition_check(&c, &file, true) == CONDITION_NOT_MODIFIED;
}

static bool range_holds(const char *if_range)
{
	const struct conditions c = { .if_range = span_of(if_range),
				      .now = MODIFIED_AT };

	return condition_range_holds(&c, &file);
}

static bool may(const struct validators *v, bool reads, const char *match,
		const char *unmodified, const char *none_match)
{
	const struct conditions c = {
		.if_match = span_of(match),
		.if_unmodified_since = span_of(unmodified),
		.if_none_match = span_of(none_match),
		.now = MODIFIED_AT,
	};

	return condition_check(&c, v, reads) != CONDITION_FAILED;
}

static bool may_change(const char *match, const char *unmodified,
		       const char *none_match)
{
	return may(&record, false, match, unmodified, none_match);
}

static void a_request_without_conditions_gets_the_file(void **state)
{
	(void)state;
	assert_false(not_modified(NULL, NULL));
	assert_true(range_holds(NULL));
}

static void an_etag_that_the_client_has_is_not_modified(void **state)
{
	(void)state;
	assert_true(not_modified(ETAG, NULL));
	assert_true(not_modified("W/" ETAG, NULL));
	assert_true(not_modified("\"r2d2\", " ETAG " , \"c3po\"", NULL));
	assert_true(not_modified("*", NULL));
	assert_false(not_modified("\"r2d2\"", NULL));
	assert_false(not_modified("\"XYZZY\"", NULL));
	assert_false(not_modified("xyzzy", NULL));
}

static void a_file_that_did_not_change_since_is_not_modified(void **state)
{
	(void)state;
	assert_true(not_modified(NULL, MODIFIED));
	assert_true(not_modified(NULL, LATER));
	assert_false(not_modified(NULL, EARLIER));
	assert_false(not_modified(NULL, "yesterday"));
}

static void a_date_is_ignored_beside_an_etag(void **state)
{
	(void)state;
	/* 13.1.3 */
	assert_false(not_modified("\"r2d2\"", LATER));
	assert_true(not_modified(ETAG, EARLIER));
}

static void an_if_range_matches_only_the_same_file(void **state)
{
	(void)state;
	assert_true(range_holds(ETAG));
	assert_true(range_holds(MODIFIED));
	assert_false(range_holds("\"r2d2\""));
	/* 13.1.5: strong comparison, exact match */
	assert_false(range_holds("W/" ETAG));
	assert_false(range_holds(EARLIER));
	assert_false(range_holds(LATER));
	assert_false(range_holds("*"));
	assert_false(range_holds(ETAG ", " ETAG));
}

static void all_three_forms_of_a_date_are_understood(void **state)
{
	static const char *const same[] = {
		MODIFIED,
		"Sunday, 06-Nov-94 08:49:37 GMT",
		"Sun Nov  6 08:49:37 1994",
	};
	static const char *const before[] = {
		EARLIER,
		"Sunday, 06-Nov-94 08:49:36 GMT",
		"Sun Nov  6 08:49:36 1994",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(same); i++) {
		assert_true(not_modified(NULL, same[i]));
		assert_true(range_holds(same[i]));
		assert_true(may_change(NULL, same[i], NULL));
		assert_false(not_modified(NULL, before[i]));
		assert_false(range_holds(before[i]));
		assert_false(may_change(NULL, before[i], NULL));
	}
}

static void a_change_needs_an_etag_of_the_list(void **state)
{
	(void)state;
	assert_true(may_change(NULL, NULL, NULL));
	assert_true(may_change(RECORD, NULL, NULL));
	assert_true(may_change(ETAG, NULL, NULL));
	assert_true(may_change("\"r2d2\", " RECORD, NULL, NULL));
	assert_true(may_change("*", NULL, NULL));
	assert_false(may_change("\"r2d2\"", NULL, NULL));
	assert_false(may_change("xyzzy", NULL, NULL));
	/* 13.1.1: strong comparison */
	assert_false(may_change("W/" RECORD, NULL, NULL));
}

static void a_date_beside_if_match_is_ignored(void **state)
{
	(void)state;
	/* 13.1.4 */
	assert_true(may_change(RECORD, EARLIER, NULL));
	assert_false(may_change("\"r2d2\"", LATER, NULL));
	assert_false(may_change(NULL, EARLIER, NULL));
	assert_true(may_change(NULL, "yesterday", NULL));
}

static void a_change_is_refused_if_the_etag_must_be_another(void **state)
{
	(void)state;
	assert_false(may_change(NULL, NULL, "*"));
	assert_false(may_change(NULL, NULL, RECORD));
	assert_false(may_change(NULL, NULL, "W/" ETAG));
	assert_true(may_change(NULL, NULL, "\"r2d2\""));
	assert_true(may_change(RECORD, NULL, "\"r2d2\""));
	assert_false(may_change(RECORD, NULL, RECORD));
}

static void a_get_is_checked_in_the_order_of_the_rfc(void **state)
{
	struct conditions c = { .if_match = SPAN(ETAG),
				.if_unmodified_since = SPAN(EARLIER),
				.if_none_match = SPAN(ETAG),
				.now = MODIFIED_AT };

	(void)state;
	/* 13.2.2: steps 1 and 3 */
	assert_int_equal(condition_check(&c, &file, true),
			 CONDITION_NOT_MODIFIED);
	c.if_match = SPAN("\"r2d2\"");
	assert_int_equal(condition_check(&c, &file, true), CONDITION_FAILED);
	/* step 2 */
	c.if_match = SPAN("");
	assert_int_equal(condition_check(&c, &file, true), CONDITION_FAILED);
}

static void a_record_is_known_by_its_own_etag_only(void **state)
{
	struct conditions c = { .if_none_match = SPAN(ETAG),
				.now = MODIFIED_AT };

	(void)state;
	/* The name may have changed: the client needs the record */
	assert_int_equal(condition_check(&c, &record, true), CONDITION_HOLDS);
	c.if_none_match = SPAN(RECORD);
	assert_int_equal(condition_check(&c, &record, true),
			 CONDITION_NOT_MODIFIED);
	c = (struct conditions) { .if_modified_since = SPAN(LATER),
				  .now = MODIFIED_AT };
	assert_int_equal(condition_check(&c, &record, true), CONDITION_HOLDS);
	assert_true(may(&record, true, ETAG, NULL, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_request_without_conditions_gets_the_file),
		TEST(an_etag_that_the_client_has_is_not_modified),
		TEST(a_file_that_did_not_change_since_is_not_modified),
		TEST(a_date_is_ignored_beside_an_etag),
		TEST(an_if_range_matches_only_the_same_file),
		TEST(all_three_forms_of_a_date_are_understood),
		TEST(a_change_needs_an_etag_of_the_list),
		TEST(a_date_beside_if_match_is_ignored),
		TEST(a_change_is_refused_if_the_etag_must_be_another),
		TEST(a_get_is_checked_in_the_order_of_the_rfc),
		TEST(a_record_is_known_by_its_own_etag_only),
	};

	return RUN(tests);
}
