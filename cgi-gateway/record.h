/* record.h - a file as JSON, and whose files a request is about. */
#ifndef RECORD_H
#define RECORD_H

#include "app.h"
#include "caller.h"
#include "json.h"
#include "request.h"
#include "response.h"

/* What a record says of the file itself. */
void record_set(struct json_object *o, const struct file *f);

/* The record of `f`, as every answer shows it. Owned; NULL when memory is
 * out. */
struct json_object *record_json(const struct app *app, const struct request *rq,
				const struct file *f);

/* What is told of `f` to somebody who has sent it and may not see it again.
 * Owned; NULL when memory is out. */
struct json_object *record_receipt(const struct file *f);

/* Members of what is like a record: a time in RFC 3339, or a limit; 0, which is
 * never or none, as null. */
void record_set_time(struct json_object *o, const char *key, int64_t t);
void record_set_limit(struct json_object *o, const char *key, int64_t limit);

/* Append the URL of `tail` as this request's client can reach it. */
void record_url(const struct app *app, const struct request *rq,
		const char *tail, struct buf *out);

/* The same as the member "url" of an answer. */
void record_set_url(const struct app *app, const struct request *rq,
		    struct json_object *o, const char *tail);

/* Append the URL of a page of the site, which no program answers: it stands
 * where PUBLIC_URL is, by whatever way this request came. */
void record_page_url(const struct app *app, const char *tail, struct buf *out);

/* Who asks, for files.h, and whose files it is about: *owner is 0 for their
 * own, or whom ?owner= names, which the scope "admin" allows. `scope` is the
 * route's. ERR_SCOPE, or ERR_INVALID for an owner that is no id. */
enum err record_caller(const struct app *app, struct request *rq,
		       struct response *rs, const char *scope,
		       struct caller *who, uint64_t *owner) MUST_CHECK;

/* The time at which something ends that lives `seconds` from now on.
 * ERR_INVALID, explained, unless it is 1 second to 10 years. */
enum err record_expiry(const struct request *rq, struct response *rs,
		       int64_t seconds, int64_t *out) MUST_CHECK;

#endif
