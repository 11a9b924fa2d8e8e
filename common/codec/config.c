#include "common/codec/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The text of GATEHOUSE_CONF */
struct source {
	char *text; /* owned; NULL without a file */
	size_t len;
};

enum err config_read_file(const char *path, char **out, size_t *len,
			  struct errmsg *why)
{
	FILE *f = fopen(path, "re");
	enum err e = ERR_CONFIG;
	char *text = NULL;
	size_t n;

	if (f == NULL)
		return err_set(why, ERR_CONFIG, "cannot open %s: %s", path,
			       strerror(errno));
	text = malloc(CONFIG_FILE_MAX + 1);
	if (text == NULL) {
		e = err_set(why, ERR_MEMORY, "out of memory");
		goto out;
	}
	n = fread(text, 1, CONFIG_FILE_MAX + 1, f);
	if (ferror(f)) {
		e = err_set(why, ERR_CONFIG, "cannot read %s: %s", path,
			    strerror(errno));
		goto out;
	}
	if (n > CONFIG_FILE_MAX) {
		e = err_set(why, ERR_CONFIG, "%s is over %d bytes", path,
			    CONFIG_FILE_MAX);
		goto out;
	}
	text[n] = '\0';
	*out = text;
	*len = n;
	text = NULL;
	e = ERR_OK;
out:
	free(text);
	(void)fclose(f);
	return e;
}

static struct span line_value(const struct source *s, const char *name)
{
	struct span rest = { s->text, s->len }, line, key, value;

	while (span_next(&rest, '\n', &line)) {
		if (line.len > 0 && line.p[line.len - 1] == '\r')
			line.len--;
		key = line;
		if (line.len > 0 && line.p[0] != '#' &&
		    span_cut(&key, '=', &value) &&
		    span_eq(span_trim(key), span_of(name)))
			return span_trim(value);
	}
	return (struct span) { NULL, 0 };
}

/* Read a file's text without its last newline, owned. *out remains NULL for an
 * empty path or text */
static enum err from_file(const char *name, struct span path, char **out,
			  struct errmsg *why)
{
	char where[4096];
	struct errmsg cause;
	char *text = NULL;
	size_t len = 0;
	enum err e;

	if (path.len == 0)
		return ERR_OK;
	if (!span_to_cstr(path, where, sizeof(where)))
		return err_set(why, ERR_CONFIG, "%s_FILE: the path is too long",
			       name);
	e = config_read_file(where, &text, &len, &cause);
	if (e != ERR_OK)
		return err_set(why, e, "%s_FILE: %s", name, cause.text);
	if (strlen(text) != len) {
		free(text);
		return err_set(why, ERR_CONFIG,
			       "%s_FILE: %s contains a NUL byte", name, where);
	}
	if (len > 0 && text[len - 1] == '\n')
		text[--len] = '\0';
	if (len > 0)
		*out = text;
	else
		free(text);
	return ERR_OK;
}

/* Read the value of `name` as an owned string; *out remains NULL if none is
 * given */
static enum err look_up(const struct source *s, const char *name, char **out,
			struct errmsg *why)
{
	char file_name[128];
	struct span value;
	enum err e;

	(void)snprintf(file_name, sizeof(file_name), "%s_FILE", name);
	value = span_of(getenv(name));
	if (value.len > 0)
		goto copy;
	e = from_file(name, span_of(getenv(file_name)), out, why);
	if (e != ERR_OK || *out != NULL)
		return e;
	value = line_value(s, name);
	if (value.len > 0)
		goto copy;
	return from_file(name, line_value(s, file_name), out, why);
copy:
	*out = strndup(value.p, value.len);
	return *out != NULL ? ERR_OK
			    : err_set(why, ERR_MEMORY, "out of memory");
}

static enum err store_int(const struct config_item *item, const char *text,
			  int64_t *out, struct errmsg *why)
{
	int64_t n;

	if (!span_to_int(span_of(text), &n) || n < item->min || n > item->max)
		return err_set(why, ERR_CONFIG,
			       "%s: \"%.40s\" is not a whole number from %lld "
			       "to %lld",
			       item->name, text, (long long)item->min,
			       (long long)item->max);
	*out = n;
	return ERR_OK;
}

static enum err load_item(const struct source *s,
			  const struct config_item *item, char *field,
			  struct errmsg *why)
{
	char *text = NULL;
	enum err e = look_up(s, item->name, &text, why);

	if (e != ERR_OK)
		return e;
	if (text == NULL && item->fallback == NULL)
		return err_set(why, ERR_CONFIG, "%s: missing; set it: %s",
			       item->name, item->help);
	if (text == NULL)
		text = strdup(item->fallback);
	if (text == NULL)
		return err_set(why, ERR_MEMORY, "out of memory");
	if (item->kind == CONFIG_INT) {
		int64_t n = 0;

		e = store_int(item, text, &n, why);
		memcpy(field, &n, sizeof(n));
		free(text);
		return e;
	}
	memcpy(field, &text, sizeof(text));
	return ERR_OK;
}

enum err config_load(const struct config_item *items, size_t count,
		     void *values, struct errmsg *why)
{
	const char *path = getenv("GATEHOUSE_CONF");
	struct source s = { NULL, 0 };
	struct errmsg cause;
	enum err e = ERR_OK;
	size_t i;

	if (path != NULL && path[0] != '\0')
		e = config_read_file(path, &s.text, &s.len, &cause);
	if (e != ERR_OK)
		return err_set(why, e, "GATEHOUSE_CONF: %s", cause.text);
	for (i = 0; i < count && e == ERR_OK; i++)
		e = load_item(&s, &items[i], (char *)values + items[i].offset,
			      why);
	if (e != ERR_OK)
		config_release(items, i - 1, values);
	free(s.text);
	return e;
}

static char *text_at(const struct config_item *item, const void *values)
{
	char *text;

	memcpy(&text, (const char *)values + item->offset, sizeof(text));
	return text;
}

void config_release(const struct config_item *items, size_t count, void *values)
{
	for (size_t i = 0; i < count; i++)
		if (items[i].kind != CONFIG_INT)
			free(text_at(&items[i], values));
}

void config_print(const struct config_item *items, size_t count,
		  const void *values, FILE *to)
{
	for (size_t i = 0; i < count; i++) {
		const struct config_item *item = &items[i];
		int64_t n;

		if (item->kind == CONFIG_INT) {
			memcpy(&n, (const char *)values + item->offset,
			       sizeof(n));
			(void)fprintf(to, "%s=%lld\n", item->name,
				      (long long)n);
		} else if (item->kind == CONFIG_SECRET) {
			(void)fprintf(to, "%s=%s\n", item->name,
				      text_at(item, values)[0] != '\0'
					      ? "(set)"
					      : "(empty)");
		} else {
			(void)fprintf(to, "%s=%s\n", item->name,
				      text_at(item, values));
		}
	}
}

void config_help(const struct config_item *items, size_t count, FILE *to)
{
	for (size_t i = 0; i < count; i++) {
		const char *fallback = items[i].fallback;

		(void)fprintf(to, "  %-16s %s", items[i].name, items[i].help);
		if (fallback == NULL)
			(void)fprintf(to, " (required)\n");
		else if (fallback[0] != '\0')
			(void)fprintf(to, " (%s)\n", fallback);
		else
			(void)fprintf(to, "\n");
	}
}
