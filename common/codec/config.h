/* config.h - settings from the environment and files, into a checked struct.
 *
 * A program describes its settings in a table; config_load() fills the struct
 * that the table points into. The value of NAME is the first of:
 *
 *   1. NAME in the environment
 *   2. the contents of the file that NAME_FILE in the environment names
 *   3. a line `NAME=value` in the file that GATEHOUSE_CONF names
 *   4. the file that a line `NAME_FILE=path` there names
 *   5. the table's fallback
 *
 * An empty value counts as not given. In the GATEHOUSE_CONF file blank lines
 * and lines that start with # are skipped; the value is everything after the
 * first "=", with blanks at both ends removed; nothing is unquoted or expanded.
 * From a NAME_FILE one newline at the end is removed.
 *
 * This is the only file that reads the environment for settings.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include "common/base/err.h"
#include "common/base/span.h"

#include <stdio.h>

enum {
	CONFIG_FILE_MAX = 64 * 1024, /* bytes of any file read here */
};

enum config_kind {
	CONFIG_TEXT,   /* char *, owned, never NULL */
	CONFIG_SECRET, /* the same, but never printed */
	CONFIG_INT     /* int64_t between min and max */
};

struct config_item {
	const char *name;
	enum config_kind kind;
	size_t offset;	      /* of the field in the struct */
	const char *fallback; /* NULL: the setting is required */
	int64_t min, max;     /* CONFIG_INT only */
	const char *help;     /* a line for --help */
};

/* Fill the struct at `values`. ERR_MEMORY; ERR_CONFIG: `why` names the setting,
 * what is wrong and what would be right; values filled so far are released. */
enum err config_load(const struct config_item *items, size_t count,
		     void *values, struct errmsg *why) MUST_CHECK;

void config_release(const struct config_item *items, size_t count,
		    void *values);

/* Print one `NAME=value` per line; a secret is shown as "(set)" or "(empty)".
 */
void config_print(const struct config_item *items, size_t count,
		  const void *values, FILE *to);

/* Print the table as help: names, fallbacks, meaning. */
void config_help(const struct config_item *items, size_t count, FILE *to);

/* Read a whole file of at most CONFIG_FILE_MAX bytes into an owned terminated
 * string. ERR_CONFIG, ERR_MEMORY. */
enum err config_read_file(const char *path, char **out, size_t *len,
			  struct errmsg *why) MUST_CHECK;

#endif
