#include "cgi-auth/app/session_list.h"

#include "cgi-auth/app/audit_note.h"
#include "cgi-auth/app/session_json.h"

struct session_list {
	struct json_list list;
	const char *current;
};

static enum err add_session(const struct session *s, void *arg)
{
	struct session_list *l = arg;
	struct json_object *o = session_json(s);

	if (o != NULL && !s->api)
		json_set_bool(o, "current",
			      span_eq(span_of(s->id), span_of(l->current)));
	return json_list_add(&l->list, o);
}

enum err session_list_answer(struct auth *a, struct request *rq,
			     struct response *rs, bool api)
{
	struct session_list l = { .current = rq->bearer_id.session };
	enum err e;

	json_list_begin(&l.list, api ? "tokens" : "sessions");
	e = sessions_each(a->service->db, rq->claims.user_id, api, rq->now,
			  add_session, &l, &rs->why);
	if (e == ERR_OK)
		e = response_list(rs, &l.list, "");
	json_list_release(&l.list);
	return e;
}

struct ending {
	const struct request *rq;
	bool api;
	char id[IDENT_LEN + 1];
};

static enum err end_session(struct db_conn *c, void *arg, struct errmsg *why)
{
	const struct ending *w = arg;

	return sessions_end(c, w->rq->claims.user_id, w->api, w->id, w->rq->now,
			    why);
}

enum err session_list_end(struct auth *a, struct request *rq,
			  struct response *rs, bool api)
{
	struct ending w = { .rq = rq, .api = api };
	enum err e;

	if (!ident_is_random(rq->param) ||
	    !span_to_cstr(rq->param, w.id, sizeof(w.id)))
		return ERR_NOT_FOUND;
	e = audit_note_change(a, rq, api ? "token-end" : "session-end", w.id,
			      end_session, &w, &rs->why);
	return e == ERR_OK ? response_empty(rs, 204) : e;
}
