#include "cgi-gateway/tus/tus_receive.h"

#include "cgi-gateway/parse/checksum.h"
#include "cgi-gateway/store/resumable.h"
#include "cgi-gateway/tus/tus_problem.h"
#include "common/base/worker_wait.h"
#include "common/http/pace.h"

/* A body that is being written to the store */
struct incoming {
	struct resumable *to;
	struct checksum sum;
	int64_t length; /* of the whole upload, or TUS_LENGTH_UNKNOWN */
	int64_t end;	/* the offset that the body may not pass */
};

/* --- before the first byte ------------------------------------------------ */

enum err tus_length_check(const struct tus_body *body,
			  const struct tus_upload *u, int64_t max_upload,
			  struct response *rs)
{
	if (body->length == TUS_LENGTH_UNKNOWN || body->length == u->length)
		return ERR_OK;
	if (u->length != TUS_LENGTH_UNKNOWN || body->length < body->offset ||
	    body->length < u->reserved.bytes)
		return tus_problem_length(rs);
	if (body->length > max_upload)
		return tus_problem_max_upload(rs, max_upload);
	return ERR_OK;
}

/* Compute the end of the upload or, while its length is unknown, of this body.
 * ERR_TOO_LARGE, ERR_LENGTH_REQUIRED. */
static enum err body_end(int64_t length, int64_t max_upload, int64_t offset,
			 int64_t body_bytes, int64_t *end)
{
	bool known = length != TUS_LENGTH_UNKNOWN;
	int64_t limit = known ? length : max_upload;

	/* The offset is wrong; resumable_open() will refuse it */
	*end = offset;
	if (offset > limit)
		return ERR_OK;
	if (body_bytes > limit - offset)
		return ERR_TOO_LARGE;
	if (!known && body_bytes == REQUEST_LENGTH_UNKNOWN)
		return ERR_LENGTH_REQUIRED;
	*end = known ? limit : offset + body_bytes;
	return ERR_OK;
}

/* Refuse a body of the wrong length, after comparing the offset */
static enum err refuse_length(const struct app *app, struct response *rs,
			      const char *id, int64_t offset, int64_t length,
			      enum err e)
{
	int64_t found = 0, written_at;
	enum err looked =
		resumable_offset(app->store, id, &found, &written_at, &rs->why);

	if (looked != ERR_OK)
		return looked;
	if (found != offset)
		return tus_problem_offset(rs, found);
	if (e == ERR_LENGTH_REQUIRED)
		return tus_problem_no_length(rs);
	if (length == TUS_LENGTH_UNKNOWN)
		return tus_problem_max_upload(rs, app->max_upload);
	return tus_problem_remaining(rs, length - offset, length);
}

/* --- the bytes ------------------------------------------------------------ */

static enum err stream_body(struct request *rq, struct incoming *in,
			    struct errmsg *why)
{
	struct span chunk;
	enum err e;

	while ((e = request_read(rq, &chunk)) == ERR_OK && chunk.len > 0) {
		if ((int64_t)chunk.len > in->end - resumable_at(in->to))
			return ERR_TOO_LARGE;
		checksum_add(&in->sum, chunk);
		e = resumable_write(in->to, chunk, why);
		/* Before waiting for the client, make what has arrived count */
		if (e == ERR_OK && !request_ready(rq))
			e = resumable_flush(in->to, why);
		if (e != ERR_OK)
			return e;
	}
	return e;
}

/* Make durable what has arrived, even of a body that was cut off or too long */
static enum err sync_arrived(struct incoming *in, enum err e,
			     struct errmsg *why)
{
	bool cut_off = e == ERR_TRUNCATED || e == ERR_CLOSED || e == ERR_SLOW ||
		       e == ERR_TOO_LARGE;
	enum err synced;

	if (e != ERR_OK && (in->sum.announced || !cut_off))
		return e;
	synced = resumable_sync(in->to, why);
	/* Another request has taken over: the last bytes were not kept, which
	 * is more important than the other error */
	return e == ERR_OK || synced == ERR_CONFLICT ? synced : e;
}

static enum err write_body(struct app *app, struct request *rq,
			   const struct session_check *session,
			   struct tus_upload *u, struct incoming *in,
			   struct errmsg *why)
{
	enum err e = ERR_OK;

	if (!in->sum.announced)
		e = tus_uploads_set_length(app->db, session, &app->quota, u,
					   in->length, why);
	if (e == ERR_OK)
		e = tus_uploads_reserve(app->db, session, &app->quota, u,
					in->end, why);
	if (e == ERR_OK)
		e = stream_body(rq, in, why);
	if (e == ERR_OK && !checksum_matches(&in->sum))
		e = ERR_CHECKSUM;
	if (e == ERR_OK)
		e = tus_uploads_set_length(app->db, session, &app->quota, u,
					   in->length, why);
	return sync_arrived(in, e, why);
}

static enum err explain_body(struct response *rs, const struct incoming *in,
			     enum err e)
{
	if (e != ERR_TOO_LARGE)
		return tus_problem_broken_off(rs, e, in->sum.announced);
	if (in->length == TUS_LENGTH_UNKNOWN)
		return tus_problem_content_length(rs);
	return tus_problem_remaining(rs, in->end - resumable_at(in->to),
				     in->length);
}

/* --- in order ------------------------------------------------------------- */

static enum err open_and_write(struct app *app, struct request *rq,
			       struct response *rs,
			       const struct session_check *session,
			       struct tus_upload *u, struct incoming *in,
			       int64_t *offset)
{
	int64_t found = *offset;
	enum err e =
		checksum_begin(&in->sum, request_header(rq, "Upload-Checksum"));

	if (e != ERR_OK)
		return e == ERR_MEMORY ? e : tus_problem_checksum(rs);
	e = resumable_open(app->store, u->id, &found, in->sum.announced,
			   &in->to, &rs->why);
	if (e == ERR_CONFLICT) {
		e = tus_problem_offset(rs, found);
	} else if (e == ERR_OK) {
		e = write_body(app, rq, session, u, in, &rs->why);
		if (e == ERR_OK)
			*offset = resumable_at(in->to);
		else
			e = explain_body(rs, in, e);
	}
	resumable_close(in->to);
	checksum_release(&in->sum);
	return e;
}

enum err tus_receive(struct app *app, struct request *rq, struct response *rs,
		     const struct session_check *session, struct tus_upload *u,
		     const struct tus_body *body, int64_t *offset)
{
	struct incoming in = { .length = u->length != TUS_LENGTH_UNKNOWN
						 ? u->length
						 : body->length };
	int64_t at = body->offset;
	enum err e = body_end(in.length, app->max_upload, at,
			      rq->content_length, &in.end);

	if (e != ERR_OK)
		return refuse_length(app, rs, u->id, at, in.length, e);
	/* Refused before the first byte, if at all */
	e = pace_explain(rs, worker_pace());
	if (e == ERR_OK)
		e = open_and_write(app, rq, rs, session, u, &in, &at);
	if (e == ERR_OK)
		*offset = at;
	return e;
}
