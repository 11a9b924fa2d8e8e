#include "common/db/db_conn.h"

#include <string.h>

struct db_value db_int(int64_t n)
{
	return (struct db_value) { .kind = DB_INT, .n = n };
}

struct db_value db_uint(uint64_t n)
{
	return (struct db_value) { .kind = DB_UINT, .n = (int64_t)n };
}

struct db_value db_text(struct span s)
{
	return (struct db_value) { .kind = DB_TEXT, .s = s };
}

struct db_value db_bytes(struct span s)
{
	return (struct db_value) { .kind = DB_BYTES, .s = s };
}

struct db_value db_null(void)
{
	return (struct db_value) { .kind = DB_NULL };
}

struct db_value db_int_or_null(int64_t n, int64_t null_is)
{
	return n == null_is ? db_null() : db_int(n);
}

struct db_field db_to_int(int64_t *to)
{
	return (struct db_field) { .kind = DB_INT, .to = to };
}

struct db_field db_to_uint(uint64_t *to)
{
	return (struct db_field) { .kind = DB_UINT, .to = to };
}

struct db_field db_to_int_or(int64_t *to, int64_t if_null)
{
	return (struct db_field) { DB_INT, to, 0, if_null };
}

struct db_field db_to_text(char *to, size_t cap)
{
	return (struct db_field) { .kind = DB_TEXT, .to = to, .cap = cap };
}

struct db_field db_to_bytes(void *to, size_t len)
{
	return (struct db_field) { .kind = DB_BYTES, .to = to, .cap = len };
}

static enum err statement_failed(struct db_conn *c, MYSQL_STMT *s,
				 struct errmsg *why)
{
	/* An error between two rows is recorded for the connection only */
	if (mysql_stmt_errno(s) == 0)
		return db_failed(c, mysql_errno(c->mysql),
				 mysql_error(c->mysql), why);
	return db_failed(c, mysql_stmt_errno(s), mysql_stmt_error(s), why);
}

/* Find a place for one more statement, closing the oldest if all are used */
static struct db_statement *place(struct db_conn *c)
{
	struct db_statement *p;

	if (c->prepared < DB_STATEMENTS_MAX)
		return &c->statements[c->prepared++];
	p = &c->statements[c->evict++ % DB_STATEMENTS_MAX];
	(void)mysql_stmt_close(p->stmt);
	return p;
}

static enum err prepare(struct db_conn *c, const char *sql, MYSQL_STMT **out,
			struct errmsg *why)
{
	MYSQL_STMT *s = NULL;
	enum err e;

	for (size_t i = 0; i < c->prepared; i++) {
		if (c->statements[i].sql == sql) {
			*out = c->statements[i].stmt;
			return ERR_OK;
		}
	}
	s = mysql_stmt_init(c->mysql);
	if (s == NULL)
		return err_set(why, ERR_MEMORY, "out of memory");
	if (mysql_stmt_prepare(s, sql, strlen(sql)) != 0) {
		e = statement_failed(c, s, why);
		(void)mysql_stmt_close(s);
		return e;
	}
	*place(c) = (struct db_statement) { sql, s };
	*out = s;
	return ERR_OK;
}

static void bind_value(MYSQL_BIND *b, const struct db_value *v)
{
	*b = (MYSQL_BIND) { .buffer_type = MYSQL_TYPE_NULL };
	if (v->kind == DB_INT || v->kind == DB_UINT) {
		b->buffer_type = MYSQL_TYPE_LONGLONG;
		b->buffer = (void *)(uintptr_t)&v->n;
		b->is_unsigned = v->kind == DB_UINT;
	} else if (v->kind == DB_TEXT || v->kind == DB_BYTES) {
		b->buffer_type = v->kind == DB_TEXT ? MYSQL_TYPE_STRING
						    : MYSQL_TYPE_BLOB;
		/* an empty span may have no address at all */
		b->buffer = (void *)(uintptr_t)(v->s.len > 0 ? v->s.p : "");
		b->buffer_length = v->s.len;
	}
}

/* Execute the statement with its parameters. */
static enum err execute(struct db_conn *c, MYSQL_STMT *s, struct db_in in,
			struct errmsg *why)
{
	MYSQL_BIND binds[DB_PARAMETERS_MAX];

	if (in.n > DB_PARAMETERS_MAX || mysql_stmt_param_count(s) != in.n)
		return err_set(why, ERR_IO,
			       "a statement has %lu parameters, "
			       "not %zu",
			       mysql_stmt_param_count(s), in.n);
	for (size_t i = 0; i < in.n; i++)
		bind_value(&binds[i], &in.v[i]);
	if ((in.n > 0 && mysql_stmt_bind_param(s, binds) != 0) ||
	    mysql_stmt_execute(s) != 0)
		return statement_failed(c, s, why);
	return ERR_OK;
}

/* Buffers for the columns of one row */
struct landing {
	MYSQL_BIND binds[DB_VALUES_MAX];
	unsigned long lengths[DB_VALUES_MAX];
	my_bool nulls[DB_VALUES_MAX];
};

static enum err bind_fields(struct db_conn *c, MYSQL_STMT *s, struct db_out out,
			    struct landing *l, struct errmsg *why)
{
	if (out.n > DB_VALUES_MAX || mysql_stmt_field_count(s) != out.n)
		return err_set(why, ERR_IO,
			       "a statement returns %u columns, not "
			       "%zu",
			       mysql_stmt_field_count(s), out.n);
	memset(l, 0, sizeof(*l));
	for (size_t i = 0; i < out.n; i++) {
		const struct db_field *f = &out.f[i];
		MYSQL_BIND *b = &l->binds[i];

		b->buffer = f->to;
		b->length = &l->lengths[i];
		b->is_null = &l->nulls[i];
		if (f->kind == DB_INT || f->kind == DB_UINT) {
			b->buffer_type = MYSQL_TYPE_LONGLONG;
			b->is_unsigned = f->kind == DB_UINT;
		} else {
			bool text = f->kind == DB_TEXT;

			b->buffer_type =
				text ? MYSQL_TYPE_STRING : MYSQL_TYPE_BLOB;
			b->buffer_length = text ? f->cap - 1 : f->cap;
		}
	}
	return mysql_stmt_bind_result(s, l->binds) == 0
		       ? ERR_OK
		       : statement_failed(c, s, why);
}

/* Terminate texts and replace NULL, which a MYSQL_BIND cannot do */
static enum err land(const struct db_field *f, bool null, unsigned long len)
{
	if (f->kind == DB_TEXT) {
		((char *)f->to)[null ? 0 : len] = '\0';
	} else if (f->kind == DB_BYTES) {
		if (null)
			memset(f->to, 0, f->cap);
		else if (len != f->cap)
			return ERR_TOO_LARGE;
	} else if (null) {
		memcpy(f->to, &f->if_null, sizeof(f->if_null));
	}
	return ERR_OK;
}

/* Fetch one row. ERR_NOT_FOUND after the last one */
static enum err fetch(struct db_conn *c, MYSQL_STMT *s, struct db_out out,
		      const struct landing *l, struct errmsg *why)
{
	int got = mysql_stmt_fetch(s);

	if (got == MYSQL_NO_DATA)
		return ERR_NOT_FOUND;
	if (got == MYSQL_DATA_TRUNCATED)
		return err_set(why, ERR_TOO_LARGE,
			       "a column is wider than its "
			       "place");
	if (got != 0)
		return statement_failed(c, s, why);
	for (size_t i = 0; i < out.n; i++)
		if (land(&out.f[i], l->nulls[i], l->lengths[i]) != ERR_OK)
			return err_set(why, ERR_TOO_LARGE,
				       "column %zu has not "
				       "the length it should have",
				       i + 1);
	return ERR_OK;
}

enum err db_conn_change(struct db_conn *c, const char *sql, struct db_in in,
			struct errmsg *why)
{
	MYSQL_STMT *s = NULL;
	enum err e = prepare(c, sql, &s, why);

	if (e == ERR_OK)
		e = execute(c, s, in, why);
	if (e != ERR_OK)
		return e;
	return (int64_t)mysql_stmt_affected_rows(s) > 0 ? ERR_OK
							: ERR_NOT_FOUND;
}

/* A temporary table did not fit: a client that only reads cannot make room */
static enum err read_failed(enum err e)
{
	return e == ERR_FULL ? ERR_UNAVAILABLE : e;
}

static enum err rows(struct db_conn *c, const char *sql, struct db_in in,
		     struct db_out out, db_each_fn *each, void *arg,
		     struct errmsg *why)
{
	struct landing l;
	MYSQL_STMT *s = NULL;
	enum err e = prepare(c, sql, &s, why);

	if (e == ERR_OK)
		e = execute(c, s, in, why);
	if (e != ERR_OK)
		return read_failed(e);
	e = bind_fields(c, s, out, &l, why);
	while (e == ERR_OK) {
		e = read_failed(fetch(c, s, out, &l, why));
		if (e == ERR_OK && each == NULL)
			break;
		if (e == ERR_OK)
			e = each(arg);
		else if (e == ERR_NOT_FOUND && each != NULL) {
			e = ERR_OK;
			break;
		}
	}
	/* Reads the remaining rows, so the connection is ready again */
	if (mysql_stmt_free_result(s) != 0)
		c->broken = true;
	return e;
}

enum err db_row_(struct db *db, const char *sql, struct db_in in,
		 struct db_out out, struct errmsg *why)
{
	return db_each_(db, sql, in, out, NULL, NULL, why);
}

enum err db_each_(struct db *db, const char *sql, struct db_in in,
		  struct db_out out, db_each_fn *each, void *arg,
		  struct errmsg *why)
{
	struct db_conn *c;
	enum err e = db_take(db, &c, why);

	if (e != ERR_OK)
		return e;
	e = rows(c, sql, in, out, each, arg, why);
	db_give(c);
	return e;
}

enum err db_change_(struct db *db, const char *sql, struct db_in in,
		    struct errmsg *why)
{
	struct db_conn *c;
	enum err e = db_take(db, &c, why);

	if (e != ERR_OK)
		return e;
	e = db_conn_change(c, sql, in, why);
	db_give(c);
	return e;
}

enum err db_tx_row_(struct db_conn *c, const char *sql, struct db_in in,
		    struct db_out out, struct errmsg *why)
{
	return rows(c, sql, in, out, NULL, NULL, why);
}

enum err db_tx_each_(struct db_conn *c, const char *sql, struct db_in in,
		     struct db_out out, db_each_fn *each, void *arg,
		     struct errmsg *why)
{
	return rows(c, sql, in, out, each, arg, why);
}

enum err db_tx_change_(struct db_conn *c, const char *sql, struct db_in in,
		       struct errmsg *why)
{
	return db_conn_change(c, sql, in, why);
}
