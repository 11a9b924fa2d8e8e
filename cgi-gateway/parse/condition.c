#include "cgi-gateway/parse/condition.h"

#include "common/codec/field.h"
#include "common/codec/http_date.h"

/* If-Match (13.1.1), and If-Unmodified-Since (13.1.4), which is ignored beside
 * it */
static bool is_as_expected(const struct conditions *c,
			   const struct validators *v)
{
	int64_t since;

	if (c->if_match.len > 0)
		return field_etag_matches(c->if_match, v->etag, ETAG_STRONG) ||
		       (v->other.len > 0 &&
			field_etag_matches(c->if_match, v->other, ETAG_STRONG));
	return http_date_parse(c->if_unmodified_since, c->now, &since) !=
		       ERR_OK ||
	       v->modified <= since;
}

/* If-None-Match (13.1.2), and If-Modified-Since (13.1.3), which is ignored
 * beside it, and for methods that change something */
static bool is_known(const struct conditions *c, const struct validators *v,
		     bool reads)
{
	int64_t since;

	if (c->if_none_match.len > 0)
		return field_etag_matches(c->if_none_match, v->etag,
					  ETAG_WEAK) ||
		       (!reads && v->other.len > 0 &&
			field_etag_matches(c->if_none_match, v->other,
					   ETAG_WEAK));
	return reads && v->dated &&
	       http_date_parse(c->if_modified_since, c->now, &since) ==
		       ERR_OK &&
	       v->modified <= since;
}

enum condition_result condition_check(const struct conditions *c,
				      const struct validators *v, bool reads)
{
	if (!is_as_expected(c, v))
		return CONDITION_FAILED;
	if (!is_known(c, v, reads))
		return CONDITION_HOLDS;
	return reads ? CONDITION_NOT_MODIFIED : CONDITION_FAILED;
}

bool condition_names_state(const struct conditions *c)
{
	return c->if_match.len > 0 || c->if_none_match.len > 0;
}

bool condition_range_holds(const struct conditions *c,
			   const struct validators *v)
{
	int64_t when;

	if (c->if_range.len == 0)
		return true;
	/* 13.1.5: strong comparison, so a weak tag never matches; a date must
	 * be exactly the one that was sent */
	if (http_date_parse(c->if_range, c->now, &when) == ERR_OK)
		return v->dated && when == v->modified;
	return span_eq(span_trim(c->if_range), v->etag);
}
