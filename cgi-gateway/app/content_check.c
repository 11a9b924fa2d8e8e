#include "cgi-gateway/app/content_check.h"

#include "common/log/log.h"

enum {
	NAME_SHOWN = 80, /* bytes of a file's name in an explanation */
};

static void log_infected(const struct request *rq, const struct file *f,
			 const char *signature)
{
	struct log_line l;

	log_begin(&l, LOG_WARN, "infected");
	log_str(&l, "request_id", rq->id);
	if (rq->authenticated) {
		log_int(&l, "user_id", (int64_t)rq->claims.user_id);
		log_str(&l, "user", rq->claims.email);
	}
	if (f->upload_link[0] != '\0')
		log_str(&l, "upload_link", f->upload_link);
	log_str(&l, "signature", signature);
	log_str(&l, "name", f->name);
	log_int(&l, "size", f->size);
	log_end(&l);
}

/* Shorten a name, between two characters of UTF-8 */
static struct span shorten(const char *name)
{
	struct span s = span_of(name);

	if (s.len <= NAME_SHOWN)
		return s;
	s.len = NAME_SHOWN;
	while (s.len > 0 && ((unsigned char)s.p[s.len] & 0xc0) == 0x80)
		s.len--;
	return s;
}

enum err content_check(const struct app *app, const struct request *rq,
		       struct response *rs, const struct content_source *src,
		       struct file *f)
{
	char signature[CLAMD_SIGNATURE_MAX + 1];
	enum err e = content_scanner_scan(&app->content_scanner, src, f,
					  signature, &rs->why);
	struct span name = shorten(f->name);

	switch (e) {
	case ERR_INFECTED:
		log_infected(rq, f, signature);
		return response_explain(rs, e,
					"\"%.*s\" is infected with %s. Nothing "
					"was stored.",
					SPAN_ARG(name), signature);
	case ERR_TOO_LARGE:
		return response_explain(rs, e,
					"\"%.*s\" is too large to be scanned "
					"for viruses. Nothing was stored.",
					SPAN_ARG(name));
	case ERR_UNAVAILABLE:
		return response_explain(
			rs, e,
			"\"%.*s\" cannot be scanned for viruses "
			"at the moment. Try again in a few seconds.",
			SPAN_ARG(name));
	default:
		return e;
	}
}
