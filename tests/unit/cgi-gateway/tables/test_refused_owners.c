#include "cgi-gateway/tables/refused_owners.h"
#include "tests/unit/unit.h"

static void an_owner_is_refused_until_an_upload_fits(void **state)
{
	struct refused_owners r = { { 0 } };

	(void)state;
	assert_false(refused_owners_has(&r, 7));
	refused_owners_note(&r, 7, ERR_QUOTA);
	assert_true(refused_owners_has(&r, 7));
	assert_false(refused_owners_has(&r, 8));
	/* says nothing about room */
	refused_owners_note(&r, 7, ERR_UNAVAILABLE);
	assert_true(refused_owners_has(&r, 7));
	refused_owners_note(&r, 7, ERR_OK);
	assert_false(refused_owners_has(&r, 7));
	refused_owners_note(&r, 7, ERR_QUOTA_FILES);
	assert_true(refused_owners_has(&r, 7));
}

static void of_owners_with_one_place_the_last_is_known(void **state)
{
	struct refused_owners r = { { 0 } };

	(void)state;
	refused_owners_note(&r, 7, ERR_QUOTA);
	refused_owners_note(&r, 7 + REFUSED_OWNERS_MAX, ERR_OK);
	assert_true(refused_owners_has(&r, 7));
	refused_owners_note(&r, 7 + REFUSED_OWNERS_MAX, ERR_QUOTA);
	assert_false(refused_owners_has(&r, 7));
	assert_true(refused_owners_has(&r, 7 + REFUSED_OWNERS_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_owner_is_refused_until_an_upload_fits),
		cmocka_unit_test(of_owners_with_one_place_the_last_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
