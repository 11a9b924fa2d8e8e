/* The list of files, whole or of names that contain a text: see files.h. */
#include "cgi-gateway/tables/files.h"

#include "cgi-gateway/tables/name_index.h"

/* The owner is IF(? = 0, l.user_id, ?). */
#define OWNER_VALUES(owner) db_uint(owner), db_uint(owner)
#define FILE_OUT(f) DB_OUT(FILES_FIELDS(f))

/* Append a LIKE pattern that contains `part`, with its wildcards escaped */
static void add_like_pattern(struct span part, struct buf *out)
{
	buf_add_char(out, '%');
	for (size_t i = 0; i < part.len; i++) {
		char c = part.p[i];

		if (c == '%' || c == '_' || c == '!')
			buf_add_char(out, '!');
		buf_add_char(out, c);
	}
	buf_add_char(out, '%');
}

/* For both lists: without FORCE INDEX, the optimizer reads all files of an
 * owner from the newest on to find the start of a page. For the same reason the
 * session is checked in a subquery, so that the owner is known beforehand. */
#define PAGE_VALUES(session, p, below)                                     \
	OWNER_VALUES((p)->owner), SESSION_VALUES(session), db_text(below), \
		db_int((session)->now)

static enum err list_all(struct db *db, const struct session_check *session,
			 const struct files_page *p, struct span below,
			 struct file *row, db_each_fn *each, void *arg,
			 struct errmsg *why)
{
	/* clang-format off */
	return db_each(db,
		"SELECT " FILES_COLUMNS
		"  FROM file f FORCE INDEX (file_owner)"
		" WHERE f.owner = (SELECT IF(? = 0, l.user_id, ?)"
		"                    FROM live_session l"
		"                   WHERE " SESSION_VALID ")"
		"   AND f.id < ?"
		"   AND (f.expires_at IS NULL OR f.expires_at > ?)"
		" ORDER BY f.id DESC"
		" LIMIT ?",
		DB_IN(PAGE_VALUES(session, p, below), db_int(p->limit)),
		FILE_OUT(row), each, arg, why);
	/* clang-format on */
}

/* What a search looks for */
struct sought {
	const struct session_check *session;
	const struct files_page *page;
	struct span below;  /* an id */
	struct span folded; /* name_fold.h */
	struct name_plan plan;
};

/* The rows of the rarest trigram, which are in the order of the list. Those of
 * the second are near each other, so that `file` is read for few others. */
static enum err list_by_grams(struct db *db, const struct sought *s,
			      struct file *row, db_each_fn *each, void *arg,
			      struct errmsg *why)
{
	/* clang-format off */
	return db_each(db,
		"SELECT STRAIGHT_JOIN " FILES_COLUMNS
		"  FROM file_gram g"
		"  JOIN file_gram h"
		"    ON h.owner = g.owner"
		"   AND h.gram = ?"
		"   AND h.id = g.id"
		"  JOIN file f"
		"    ON f.id = " NAME_INDEX_FILE_ID
		" WHERE g.owner = (SELECT IF(? = 0, l.user_id, ?)"
		"                    FROM live_session l"
		"                   WHERE " SESSION_VALID ")"
		"   AND g.gram = ?"
		"   AND g.id < UNHEX(REPLACE(?, '-', ''))"
		"   AND f.owner = g.owner"
		"   AND (f.expires_at IS NULL OR f.expires_at > ?)"
		"   AND LOCATE(?, f.folded) > 0"
		" ORDER BY g.id DESC"
		" LIMIT ?",
		DB_IN(db_bytes(span_of(s->plan.second)),
		      OWNER_VALUES(s->page->owner), SESSION_VALUES(s->session),
		      db_bytes(span_of(s->plan.first)), db_text(s->below),
		      db_int(s->session->now), db_bytes(s->folded),
		      db_int(s->page->limit)),
		FILE_OUT(row), each, arg, why);
	/* clang-format on */
}

static enum err list_by_beginning(struct db *db, const struct sought *s,
				  struct file *row, db_each_fn *each, void *arg,
				  struct errmsg *why)
{
	/* clang-format off */
	return db_each(db,
		"SELECT STRAIGHT_JOIN " FILES_COLUMNS
		"  FROM (SELECT DISTINCT owner, id"
		"          FROM file_gram"
		"         WHERE owner = (SELECT IF(? = 0, l.user_id, ?)"
		"                          FROM live_session l"
		"                         WHERE " SESSION_VALID ")"
		"           AND gram >= ?"
		"           AND gram < ?) g"
		"  JOIN file f"
		"    ON f.id = " NAME_INDEX_FILE_ID
		" WHERE f.owner = g.owner"
		"   AND f.id < ?"
		"   AND (f.expires_at IS NULL OR f.expires_at > ?)"
		"   AND LOCATE(?, f.folded) > 0"
		" ORDER BY f.id DESC"
		" LIMIT ?",
		DB_IN(OWNER_VALUES(s->page->owner), SESSION_VALUES(s->session),
		      db_bytes(span_of(s->plan.first)),
		      db_bytes(span_of(s->plan.second)), db_text(s->below),
		      db_int(s->session->now), db_bytes(s->folded),
		      db_int(s->page->limit)),
		FILE_OUT(row), each, arg, why);
	/* clang-format on */
}

/* `pattern` is for rows that are not indexed yet */
static enum err list_by_walk(struct db *db, const struct sought *s,
			     struct span pattern, struct file *row,
			     db_each_fn *each, void *arg, struct errmsg *why)
{
	/* clang-format off */
	return db_each(db,
		"SELECT " FILES_COLUMNS
		"  FROM file f FORCE INDEX (file_owner)"
		" WHERE f.owner = (SELECT IF(? = 0, l.user_id, ?)"
		"                    FROM live_session l"
		"                   WHERE " SESSION_VALID ")"
		"   AND f.id < ?"
		"   AND (f.expires_at IS NULL OR f.expires_at > ?)"
		"   AND (LOCATE(?, f.folded) > 0"
		"        OR (f.folded IS NULL AND f.name LIKE ? ESCAPE '!'))"
		" ORDER BY f.id DESC"
		" LIMIT ?",
		DB_IN(PAGE_VALUES(s->session, s->page, s->below),
		      db_bytes(s->folded), db_text(pattern),
		      db_int(s->page->limit)),
		FILE_OUT(row), each, arg, why);
	/* clang-format on */
}

static enum err list_sought(struct db *db, struct sought *s, struct file *row,
			    db_each_fn *each, void *arg, struct errmsg *why)
{
	const struct files_page *p = s->page;
	struct buf pattern;
	enum err e = name_plan_make(db, p->owner != 0 ? p->owner : p->user,
				    s->folded, s->below, &s->plan, why);

	if (e != ERR_OK)
		return e;
	if (s->plan.how == NAME_PLAN_GRAMS)
		return list_by_grams(db, s, row, each, arg, why);
	if (s->plan.how == NAME_PLAN_SHORT)
		return list_by_beginning(db, s, row, each, arg, why);
	buf_init(&pattern, FILE_NAME_MAX * 2 + 2);
	add_like_pattern(p->part, &pattern);
	e = buf_error(&pattern);
	if (e == ERR_OK)
		e = list_by_walk(db, s, buf_span(&pattern), row, each, arg,
				 why);
	buf_release(&pattern);
	return e;
}

enum err files_list(struct db *db, const struct session_check *session,
		    const struct files_page *p, struct file *row,
		    db_each_fn *each, void *arg, struct errmsg *why)
{
	struct span below = p->after;
	struct session_rows rows = { each, arg, false };
	struct sought s = { .session = session, .page = p };
	char folded[NAME_FOLD_MAX + 1];
	enum err e = name_fold(p->part, folded);

	if (e != ERR_OK)
		return e;
	/* No id is as high as this one */
	if (below.len == 0)
		below = SPAN("ffffffff-ffff-ffff-ffff-ffffffffffff");
	s.below = below;
	s.folded = span_of(folded);
	/* An accent alone is in every name */
	if (s.folded.len == 0)
		e = list_all(db, session, p, below, row, session_rows_each,
			     &rows, why);
	else
		e = list_sought(db, &s, row, session_rows_each, &rows, why);
	if (e == ERR_OK && !rows.any)
		return session_check_no_row(db, session, ERR_OK, why);
	return e;
}
