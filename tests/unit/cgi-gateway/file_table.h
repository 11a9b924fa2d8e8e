/* file_table.h - the gateway's tables and the views that it reads, in the
 * private server of with-mariadb: all in one database. */
#ifndef FILE_TABLE_H
#define FILE_TABLE_H

#include "cgi-gateway/tables/files.h"
#include "tests/unit/live_sessions.h"

/* A change of name and expiry together */
#define BOTH ((struct files_changed) { .name = true, .expiry = true })

static inline void file_table_make(void)
{
	sessions_make();
	schema_run("gateway/001-file");
	schema_run("gateway/010-quota");
	schema_run("gateway/020-link");
	schema_run("gateway/021-link-bytes-left");
	schema_run("gateway/030-upload");
	schema_run("gateway/040-upload-link");
	schema_run("gateway/041-file-upload-link");
	schema_run("gateway/043-admission");
	schema_run("gateway/044-upload-unfinished");
	schema_run("gateway/050-event");
	schema_run("gateway/060-file-claimed-type");
	schema_run("gateway/061-event-claimed-type");
	schema_run("gateway/070-file-folded");
	schema_run("gateway/071-gram-position");
	schema_run("gateway/072-file-gram");
}

/* Quicker than to make it again */
static inline void file_table_clear(struct db *db)
{
	enum err e = db_change(db, "DELETE FROM file", DB_NONE, NULL);

	assert_true(e == ERR_OK || e == ERR_NOT_FOUND);
	e = db_change(db, "DELETE FROM file_gram", DB_NONE, NULL);
	assert_true(e == ERR_OK || e == ERR_NOT_FOUND);
	e = db_change(db, "DELETE FROM quota", DB_NONE, NULL);
	assert_true(e == ERR_OK || e == ERR_NOT_FOUND);
	e = db_change(db, "DELETE FROM link", DB_NONE, NULL);
	assert_true(e == ERR_OK || e == ERR_NOT_FOUND);
	e = db_change(db, "DELETE FROM upload_link", DB_NONE, NULL);
	assert_true(e == ERR_OK || e == ERR_NOT_FOUND);
	e = db_change(db, "DELETE FROM upload", DB_NONE, NULL);
	assert_true(e == ERR_OK || e == ERR_NOT_FOUND);
	e = db_change(db, "DELETE FROM admission", DB_NONE, NULL);
	assert_true(e == ERR_OK || e == ERR_NOT_FOUND);
	e = db_change(db, "DELETE FROM event", DB_NONE, NULL);
	assert_true(e == ERR_OK || e == ERR_NOT_FOUND);
}

static inline int64_t file_table_rows(struct db *db)
{
	int64_t n = -1;

	assert_ok(db_row(db, "SELECT COUNT(*) FROM file", DB_NONE,
			 DB_OUT(db_to_int(&n)), NULL));
	return n;
}

#endif
