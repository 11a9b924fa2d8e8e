#include "cgi-gateway/tus/tus_receive.h"

#include "cgi-gateway/parse/checksum.h"
#include "cgi-gateway/store/resumable.h"

/* --- before the first byte ------------------------------------------------ */

enum err tus_elsewhere(struct tus *t, int64_t offset)
{
	response_header_int(t->rs, "Upload-Offset", offset);
	response_keep(t->rs);
	return response_explain(t->rs, ERR_CONFLICT,
				"The upload is at byte %lld. Go on from there.",
				(long long)offset);
}

/* As far as it is known, if only from this request */
static int64_t length_of(const struct tus *t)
{
	return t->u.length != TUS_LENGTH_UNKNOWN ? t->u.length : t->told;
}

static enum err too_large(struct tus *t, int64_t rest)
{
	if (length_of(t) == TUS_LENGTH_UNKNOWN)
		return response_explain(t->rs, ERR_TOO_LARGE,
					"The file is larger than %lld bytes "
					"(MAX_UPLOAD).",
					(long long)t->app->max_upload);
	return response_explain(t->rs, ERR_TOO_LARGE,
				"Of the upload's %lld bytes %lld are missing; "
				"these are more.",
				(long long)length_of(t), (long long)rest);
}

/* Up to which byte these may go: the upload's length, or as long as that is not
 * known, as many as they say they are */
static enum err read_end(struct tus *t, int64_t at, int64_t *end)
{
	bool known = length_of(t) != TUS_LENGTH_UNKNOWN;
	int64_t most = known ? length_of(t) : t->app->max_upload;
	int64_t bytes = t->rq->content_length;

	/* It is elsewhere, and resumable_open() tells where */
	*end = at;
	if (at > most)
		return ERR_OK;
	if (bytes > most - at)
		return too_large(t, most - at);
	if (!known && bytes == REQUEST_LENGTH_UNKNOWN)
		return response_explain(t->rs, ERR_LENGTH_REQUIRED,
					"Send a Content-Length as long as the "
					"upload has no Upload-Length.");
	*end = known ? most : at + bytes;
	return ERR_OK;
}

/* Whoever is wrong about the offset hears of that first, for it is mended by
 * going on from the right one */
static enum err refuse(struct tus *t, int64_t at, enum err e)
{
	int64_t offset = at, written_at;
	enum err found = resumable_offset(t->app->store, t->u.id, &offset,
					  &written_at, &t->rs->why);

	if (found != ERR_OK)
		return found;
	return offset != at ? tus_elsewhere(t, offset) : e;
}

static enum err keep_length(struct tus *t)
{
	if (t->u.length != TUS_LENGTH_UNKNOWN || t->told == TUS_LENGTH_UNKNOWN)
		return ERR_OK;
	return tus_uploads_measured(t->app->db, &t->who, &t->app->quota, &t->u,
				    t->told, &t->rs->why);
}

/* Before a byte is written. With a checksum the length counts with the bytes,
 * or not at all. */
static enum err hold(struct tus *t, const struct checksum *sum, int64_t end)
{
	enum err e = sum->announced ? ERR_OK : keep_length(t);

	if (e != ERR_OK || t->u.length != TUS_LENGTH_UNKNOWN)
		return e;
	return tus_uploads_hold(t->app->db, &t->who, &t->app->quota, &t->u, end,
				&t->rs->why);
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

/* --- the bytes ------------------------------------------------------------ */

static enum err take(struct tus *t, struct resumable *p, struct checksum *sum,
		     int64_t end)
{
	struct span chunk;
	enum err e;

	while ((e = request_read(t->rq, &chunk)) == ERR_OK && chunk.len > 0) {
		if ((int64_t)chunk.len > end - resumable_at(p))
			return too_large(t, end - resumable_at(p));
		checksum_add(sum, chunk);
		e = resumable_write(p, chunk, &t->rs->why);
		/* What has arrived counts before we wait for more */
		if (e == ERR_OK && !request_ready(t->rq))
			e = resumable_flush(p, &t->rs->why);
		if (e != ERR_OK)
			return e;
	}
	return e;
}

/* What came before stays, where that is so: other words than for other bodies
 */
static enum err explain(struct tus *t, const struct checksum *sum, enum err e)
{
	const char *kept = sum->announced ? "None of it was kept"
					  : "What came before that is kept";

	if (e == ERR_CONFLICT)
		return response_explain(t->rs, e,
					"Another request has taken over this "
					"upload. Ask for its offset.");
	if (e == ERR_TRUNCATED)
		return response_explain(t->rs, e,
					"The body ended before its announced "
					"end. %s: ask for the offset.",
					kept);
	if (e == ERR_FULL)
		return response_explain(t->rs, e,
					"The server has no space left. %s: ask "
					"for the offset, and go on later.",
					kept);
	return e;
}

/* The body may be cut off, or too long: what came before that is kept */
static enum err take_and_keep(struct tus *t, struct resumable *p,
			      struct checksum *sum, int64_t end, int64_t *at)
{
	enum err e = hold(t, sum, end), kept = ERR_OK;

	if (e == ERR_OK)
		e = take(t, p, sum, end);
	if (e == ERR_OK && !checksum_matches(sum))
		e = ERR_CHECKSUM;
	if (e == ERR_OK)
		e = keep_length(t);
	if (e == ERR_OK ||
	    (!sum->announced &&
	     (e == ERR_TRUNCATED || e == ERR_CLOSED || e == ERR_TOO_LARGE)))
		kept = resumable_sync(p, &t->rs->why);
	/* Who was cut off and taken over is told of the latter: then what came
	 * last is not kept */
	if (e == ERR_OK || kept == ERR_CONFLICT)
		e = kept;
	if (e == ERR_OK)
		*at = resumable_at(p);
	return explain(t, sum, e);
}

static enum err stream(struct tus *t, int64_t *at, int64_t end)
{
	struct resumable *p = NULL;
	struct checksum sum;
	int64_t found = *at;
	enum err e = begin_checksum(t, &sum);

	if (e != ERR_OK)
		return e;
	e = resumable_open(t->app->store, t->u.id, &found, sum.announced, &p,
			   &t->rs->why);
	if (e == ERR_CONFLICT)
		e = tus_elsewhere(t, found);
	else if (e == ERR_OK)
		e = take_and_keep(t, p, &sum, end, at);
	resumable_close(p);
	checksum_release(&sum);
	return e;
}

enum err tus_receive(struct tus *t, int64_t *at)
{
	int64_t end = 0;
	enum err e = read_end(t, *at, &end);

	if (e != ERR_OK)
		return refuse(t, *at, e);
	if (atomic_fetch_add(&t->app->streams, 1) < t->app->streams_max)
		e = stream(t, at, end);
	else
		e = too_many(t);
	atomic_fetch_sub(&t->app->streams, 1);
	return e;
}
