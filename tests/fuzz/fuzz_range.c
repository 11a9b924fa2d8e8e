/* The first line is the Range field, the second the size of the file, the
 * others are conditions. */
#include "cgi-gateway/parse/condition.h"
#include "cgi-gateway/parse/range.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = fuzz_copy(data, size), rest = text;
	struct span field = { NULL, 0 }, number = field;
	const struct validators v = { SPAN("\"abc\""), SPAN("\"d\""), 784111777,
				      true };
	struct conditions c = { .now = 1795867200 };
	struct range r = { -1, -1 };
	int64_t file = 0;
	enum err e;

	(void)span_next(&rest, '\n', &field);
	(void)span_next(&rest, '\n', &number);
	(void)span_next(&rest, '\n', &c.if_none_match);
	(void)span_next(&rest, '\n', &c.if_modified_since);
	(void)span_next(&rest, '\n', &c.if_range);
	(void)span_next(&rest, '\n', &c.if_match);
	(void)span_next(&rest, '\n', &c.if_unmodified_since);
	(void)span_to_int(number, &file);
	e = range_parse(field, file, &r);
	if (e == ERR_OK)
		MUST(r.first >= 0 && r.length > 0 && r.first < file &&
		     r.length <= file - r.first);
	else
		MUST((e == ERR_RANGE || e == ERR_FORMAT || e == ERR_TOO_MANY) &&
		     r.first == -1);
	MUST(condition_check(&c, &v, false) != CONDITION_NOT_MODIFIED);
	(void)condition_check(&c, &v, true);
	(void)condition_range_holds(&c, &v);
	(void)range_is_plain(field);
	fuzz_free(text);
	return 0;
}
