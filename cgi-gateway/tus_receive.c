#include "tus_receive.h"

#include "checksum.h"
#include "partial.h"

/* --- before the first byte ------------------------------------------------ */

enum err tus_elsewhere(struct tus *t, int64_t offset)
{
	response_header_int(t->rs, "Upload-Offset", offset);
	response_keep(t->rs);
	return response_explain(t->rs, ERR_CONFLICT,
				"The upload is at byte %lld. Go on from there.",
				(long long)offset);
}

/* Up to which byte it may go: its length, or as long as that is not known, what
 * the owner has room for now */
static enum err read_end(struct tus *t, int64_t at, int64_t *end)
{
	struct usage u;
	int64_t room;
	enum err e;

	if (t->u.length != UPLOAD_LENGTH_UNKNOWN) {
		*end = t->u.length;
		return ERR_OK;
	}
	e = quota_usage(t->app->db, &t->who, t->u.owner, &t->app->quota, &u,
			&t->rs->why);
	if (e != ERR_OK)
		return e;
	*end = t->app->max_upload;
	room = u.limits.bytes - u.bytes;
	if (u.limits.bytes != QUOTA_NONE && room < *end)
		*end = room;
	if (*end < at || (*end == at && t->rq->content_length > 0))
		return ERR_QUOTA;
	return ERR_OK;
}

static enum err begin_checksum(struct tus *t, struct checksum *sum)
{
	enum err e =
		checksum_begin(sum, request_header(t->rq, "Upload-Checksum"));

	if (e == ERR_MEMORY || e == ERR_OK)
		return e;
	return response_explain(
		t->rs, ERR_FORMAT,
		"Upload-Checksum is one of %s, a blank, and the "
		"checksum in base64.",
		CHECKSUM_ALGORITHMS);
}

static enum err too_many(struct tus *t)
{
	return response_explain(
		t->rs, ERR_UNAVAILABLE,
		"Too many uploads stream in at this moment. Try "
		"again soon.");
}

static enum err too_large(struct tus *t, int64_t rest)
{
	if (t->u.length == UPLOAD_LENGTH_UNKNOWN)
		return response_explain(t->rs, ERR_TOO_LARGE,
					"There is room for %lld more bytes.",
					(long long)rest);
	return response_explain(t->rs, ERR_TOO_LARGE,
				"Of the upload's %lld bytes %lld are missing; "
				"these are more.",
				(long long)t->u.length, (long long)rest);
}

/* --- the bytes -------------------------------------------------------------
 */

static enum err take(struct tus *t, struct partial *p, struct checksum *sum,
		     int64_t end)
{
	struct span chunk;
	enum err e;

	while ((e = request_read(t->rq, &chunk)) == ERR_OK && chunk.len > 0) {
		if ((int64_t)chunk.len > end - partial_at(p))
			return too_large(t, end - partial_at(p));
		checksum_add(sum, chunk);
		e = partial_write(p, chunk, &t->rs->why);
		/* What has arrived counts before we wait for more */
		if (e == ERR_OK && !request_ready(t->rq))
			e = partial_push(p, &t->rs->why);
		if (e != ERR_OK)
			return e;
	}
	return e;
}

static enum err taken_over(struct tus *t, enum err e)
{
	if (e == ERR_CONFLICT)
		return response_explain(t->rs, e,
					"Another request has taken over this "
					"upload. Ask for its offset.");
	return e;
}

/* The body may be cut off, or too long: what came before that is kept */
static enum err take_and_keep(struct tus *t, struct partial *p,
			      struct checksum *sum, int64_t end, int64_t *at)
{
	enum err e = take(t, p, sum, end), kept = ERR_OK;

	if (e == ERR_OK && !checksum_matches(sum))
		e = ERR_CHECKSUM;
	if (e == ERR_OK ||
	    (!sum->announced &&
	     (e == ERR_TRUNCATED || e == ERR_CLOSED || e == ERR_TOO_LARGE)))
		kept = partial_keep(p, &t->rs->why);
	if (e == ERR_OK)
		e = kept;
	if (e == ERR_OK)
		*at = partial_at(p);
	return taken_over(t, e);
}

static enum err stream(struct tus *t, int64_t *at, int64_t end)
{
	struct partial *p = NULL;
	struct checksum sum;
	int64_t found = *at;
	enum err e = begin_checksum(t, &sum);

	if (e != ERR_OK)
		return e;
	e = partial_open(t->app->store, t->u.id, &found, sum.announced, &p,
			 &t->rs->why);
	if (e == ERR_CONFLICT)
		e = tus_elsewhere(t, found);
	else if (e == ERR_OK)
		e = take_and_keep(t, p, &sum, end, at);
	partial_close(p);
	checksum_release(&sum);
	return e;
}

enum err tus_receive(struct tus *t, int64_t *at)
{
	int64_t end = 0;
	enum err e = read_end(t, *at, &end);

	if (e != ERR_OK)
		return e;
	if (*at <= end && t->rq->content_length > end - *at)
		return too_large(t, end - *at);
	if (atomic_fetch_add(&t->app->streams, 1) < t->app->streams_max)
		e = stream(t, at, end);
	else
		e = too_many(t);
	atomic_fetch_sub(&t->app->streams, 1);
	return e;
}
