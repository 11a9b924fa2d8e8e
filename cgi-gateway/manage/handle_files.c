/* GET /files; GET, PATCH and DELETE /files/{id}: files as JSON. */
#include "cgi-gateway/app/app.h"
#include "common/http/body.h"

#include "cgi-gateway/app/file_conditions.h"
#include "cgi-gateway/app/public_url.h"
#include "cgi-gateway/app/request_params.h"
#include "common/codec/encode.h"

enum {
	LIST_DEFAULT = 100, /* files of a page without ?limit= */
	/* attempts of a conditional change that others overtake */
	CHANGE_TRIES = 5,
};

/* --- the list ------------------------------------------------------------- */

struct listing {
	const struct app *app;
	const struct request *rq;
	struct json_list list;
	struct file row;
	char last[UUID_LEN + 1]; /* id of the last file on the page */
	int64_t left;		 /* rows that still fit on the page */
	bool more;
};

static enum err add_listed_file(void *arg)
{
	struct listing *l = arg;

	/* One row more than the page was read: there is a next page */
	if (l->left == 0) {
		l->more = true;
		return ERR_OK;
	}
	l->left--;
	(void)snprintf(l->last, sizeof(l->last), "%s", l->row.id);
	return json_list_add(&l->list,
			     public_url_file_json(l->app, l->rq, &l->row));
}

static enum err read_page_query(const struct app *app, struct request *rq,
				struct response *rs, struct files_page *p,
				char after[static UUID_LEN + 1])
{
	struct span text;
	enum err e;

	*p = (struct files_page) { .limit = LIST_DEFAULT,
				   .user = rq->claims.user_id };
	e = request_owner(app, rq, rs, &p->owner);
	if (e != ERR_OK)
		return e;
	e = request_query(rq, "limit", &text);
	if (e == ERR_OK && (!span_to_int(text, &p->limit) || p->limit < 1 ||
			    p->limit > FILES_LIST_MAX))
		return response_explain(
			rs, ERR_INVALID,
			"?limit= must be a number from 1 to %d.",
			FILES_LIST_MAX);
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	e = request_query(rq, "after", &text);
	if (e == ERR_OK) {
		p->after = ident_uuid_sent(text, after);
		if (p->after.len == 0)
			return response_explain(
				rs, ERR_INVALID,
				"?after= must be the id of a file.");
	}
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	e = request_query(rq, "q", &p->part);
	if (e == ERR_OK &&
	    (!utf8_valid(p->part) || p->part.len > FILE_NAME_MAX ||
	     span_find(p->part, '\0') < p->part.len))
		return response_explain(
			rs, ERR_INVALID,
			"?q= must be at most %d bytes of UTF-8 without NUL.",
			FILE_NAME_MAX);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* Set Link: rel="next" (RFC 8288), with the same query except `after` */
static void set_next_link(const struct app *app, const struct request *rq,
			  struct response *rs, const char *last)
{
	struct span rest = rq->query, pair;
	struct buf link;

	buf_init(&link, REQUEST_PATH_MAX * 2);
	buf_add_char(&link, '<');
	public_url_add_reference(app, rq, "/files?", &link);
	while (span_next(&rest, '&', &pair)) {
		if (pair.len == 0 || span_has_prefix(pair, SPAN("after=")))
			continue;
		buf_add(&link, pair);
		buf_add_char(&link, '&');
	}
	buf_printf(&link, "after=%s>; rel=\"next\"", last);
	/* If this is too long, `next` in the body has the same */
	if (buf_error(&link) == ERR_OK)
		response_header(rs, "Link", buf_span(&link));
	buf_release(&link);
}

enum err handle_files(void *app_, struct request *rq, struct response *rs)
{
	struct app *app = app_;
	struct listing l = { .app = app, .rq = rq };
	char next[sizeof(",\"next\":\"\"") + UUID_LEN] = ",\"next\":null";
	char after[UUID_LEN + 1];
	struct files_page page;
	enum err e = read_page_query(app, rq, rs, &page, after);

	if (e != ERR_OK)
		return e;
	l.left = page.limit++;
	json_list_begin(&l.list, "files");
	e = files_list(app->db, rq->session, &page, &l.row, add_listed_file, &l,
		       &rs->why);
	if (e == ERR_OK && l.more) {
		(void)snprintf(next, sizeof(next), ",\"next\":\"%s\"", l.last);
		set_next_link(app, rq, rs, l.last);
	}
	if (e == ERR_OK)
		e = response_list(rs, &l.list, next);
	json_list_release(&l.list);
	return e;
}

/* --- one file ------------------------------------------------------------- */

enum err handle_file(void *app, struct request *rq, struct response *rs)
{
	struct file_record r = { .json = NULL };
	struct file f;
	enum err e = request_file(app, rq, rs, &f);

	if (e == ERR_OK)
		e = file_record_make(app, rq, &f, &r);
	if (e != ERR_OK)
		return e;
	switch (file_record_check(rq, &f, &r)) {
	case CONDITION_HOLDS:
		e = file_record_send(&r, rs);
		break;
	case CONDITION_NOT_MODIFIED:
		response_header_str(rs, "ETag", r.etag);
		e = response_empty(rs, 304);
		break;
	case CONDITION_FAILED:
		e = file_conditions_explain(rs);
		break;
	}
	file_record_release(&r);
	return e;
}

/* Find the file that a request changes, and check the conditions of the
 * request. *exact: they hold for the file as it was found, so that the change
 * must be made only if it is still the same. */
static enum err find_to_change(const struct app *app, struct request *rq,
			       struct response *rs, struct file *f, bool *exact)
{
	const struct conditions c = file_conditions(rq);
	struct file_record r = { .json = NULL };
	enum err e = request_file(app, rq, rs, f);

	if (e == ERR_OK)
		e = file_record_make(app, rq, f, &r);
	if (e != ERR_OK)
		return e;
	*exact = condition_names_state(&c);
	if (file_record_check(rq, f, &r) != CONDITION_HOLDS)
		e = file_conditions_explain(rs);
	file_record_release(&r);
	return e;
}

static enum err change_name(struct json_object *o, struct response *rs,
			    struct file *f)
{
	char sent[FILE_NAME_MAX * 4];
	struct text_fault fault = { "" };
	enum err e;

	if (!json_object_object_get_ex(o, "name", NULL))
		return ERR_OK;
	e = body_text(o, "name", sent, sizeof(sent), rs);
	if (e == ERR_OK &&
	    file_name_clean_typed(span_of(sent), f->name, &fault) != ERR_OK)
		return response_explain(rs, ERR_INVALID, "The name %s.",
					fault.text);
	return e;
}

static enum err change_expiry(struct json_object *o, const struct request *rq,
			      struct response *rs, struct file *f)
{
	struct json_object *v;
	int64_t seconds;

	if (!json_object_object_get_ex(o, "expires_in", &v))
		return ERR_OK;
	if (v == NULL) { /* null: does not expire */
		f->expires_at = FILES_NEVER;
		return ERR_OK;
	}
	if (json_get_int(o, "expires_in", &seconds) != ERR_OK)
		seconds = 0;
	return request_expiry(rq, rs, seconds, &f->expires_at);
}

/* Returns ERR_CONFLICT if another request has changed the file meanwhile, and
 * so its conditions must be checked again. *f is the changed file. */
static enum err change_once(struct app *app, struct request *rq,
			    struct response *rs, struct json_object *o,
			    struct file *f)
{
	struct files_changed which = {
		.name = json_object_object_get_ex(o, "name", NULL),
		.expiry = json_object_object_get_ex(o, "expires_in", NULL),
	};
	struct file found;
	bool exact = false;
	enum err e = find_to_change(app, rq, rs, f, &exact);

	if (e != ERR_OK)
		return e;
	found = *f;
	which.from = exact ? &found : NULL;
	e = change_name(o, rs, f);
	if (e == ERR_OK)
		e = change_expiry(o, rq, rs, f);
	if (e == ERR_OK) {
		e = files_update(app->db, rq->session, f, which, &rs->why);
		if (e == ERR_NOT_FOUND && exact)
			return ERR_CONFLICT;
	}
	return e;
}

enum err handle_file_change(void *app_, struct request *rq, struct response *rs)
{
	static const char *const members[] = { "name", "expires_in", NULL };
	struct app *app = app_;
	struct file_record r = { .json = NULL };
	struct json_object *o = NULL;
	struct file f;
	enum err e = body_json(rq, rs, members, &o);

	if (e == ERR_OK)
		e = change_once(app, rq, rs, o, &f);
	for (int tries = 1; e == ERR_CONFLICT && tries < CHANGE_TRIES; tries++)
		e = change_once(app, rq, rs, o, &f);
	json_object_put(o);
	if (e == ERR_CONFLICT)
		return file_conditions_explain(rs);
	if (e == ERR_OK)
		e = file_record_make(app, rq, &f, &r);
	if (e == ERR_OK)
		e = file_record_send(&r, rs);
	file_record_release(&r);
	return e;
}

/* As change_once() */
static enum err remove_once(struct app *app, struct request *rq,
			    struct response *rs, uint64_t owner)
{
	const struct conditions c = file_conditions(rq);
	struct file f;
	bool exact = false;
	enum err e;

	if (condition_names_state(&c) || c.if_unmodified_since.len > 0) {
		e = find_to_change(app, rq, rs, &f, &exact);
		if (e != ERR_OK)
			return e;
	}
	e = files_remove_from(app->db, rq->session, owner, rq->param,
			      exact ? &f : NULL, &app->webhook_targets,
			      &rs->why);
	return e == ERR_NOT_FOUND && exact ? ERR_CONFLICT : e;
}

enum err handle_file_remove(void *app_, struct request *rq, struct response *rs)
{
	struct app *app = app_;
	char id[UUID_LEN + 1];
	uint64_t owner;
	enum err e = request_owner(app, rq, rs, &owner);

	if (e == ERR_OK)
		e = remove_once(app, rq, rs, owner);
	for (int tries = 1; e == ERR_CONFLICT && tries < CHANGE_TRIES; tries++)
		e = remove_once(app, rq, rs, owner);
	if (e == ERR_CONFLICT)
		return file_conditions_explain(rs);
	if (e != ERR_OK)
		return e;
	/* The file is deleted with its row. If the bytes cannot be removed, the
	 * log line has the reason, and gateway-admin gc removes them later. */
	if (ident_uuid_sent(rq->param, id).len > 0)
		(void)!store_remove(app->store, id, &rs->why);
	return response_empty(rs, 204);
}
