/* file_table.h - the gateway's table, made by its migrations in the private
 * server of with-mariadb. */
#ifndef FILE_TABLE_H
#define FILE_TABLE_H

#include "mariadb.h"

#include <dirent.h>

/* The first migration or the next; `name` is a file of schema/gateway. Its one
 * statement is prepared as it stands. */
static inline void file_table_migrate(struct db *db, const char *name)
{
	static char sql[64][8192]; /* a pool knows a statement by its address */
	static size_t used;
	char path[512];
	struct errmsg why = { "" };
	FILE *f;
	size_t n;
	enum err e;

	assert_true(used < COUNT(sql));
	(void)snprintf(path, sizeof(path), "schema/gateway/%s", name);
	f = fopen(path, "r");
	assert_non_null(f);
	n = fread(sql[used], 1, sizeof(sql[0]) - 1, f);
	(void)fclose(f);
	assert_true(n > 0 && n < sizeof(sql[0]) - 1);
	e = db_change_(db, sql[used++], DB_NONE, &why);
	if (e != ERR_OK && e != ERR_NOT_FOUND) /* no row was touched */
		print_error("%s: %s\n", path, why.text);
	assert_true(e == ERR_OK || e == ERR_NOT_FOUND);
}

/* An empty table `file`, as the schema has it */
static inline void file_table_make(struct db *db)
{
	struct dirent **names = NULL;
	int n;

	assert_err(db_change(db, "DROP TABLE IF EXISTS file", DB_NONE, NULL),
		   ERR_NOT_FOUND);
	n = scandir("schema/gateway", &names, NULL, alphasort);
	assert_true(n > 2);
	for (int i = 0; i < n; i++) {
		if (names[i]->d_name[0] != '.')
			file_table_migrate(db, names[i]->d_name);
		free(names[i]);
	}
	free(names);
}

/* Quicker than to make it again */
static inline void file_table_clear(struct db *db)
{
	enum err e = db_change(db, "DELETE FROM file", DB_NONE, NULL);

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
