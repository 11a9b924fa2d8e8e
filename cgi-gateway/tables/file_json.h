/* file_json.h - formats a row of `file` as JSON, the same in every response and
 * event.
 */
#ifndef FILE_JSON_H
#define FILE_JSON_H

#include "cgi-gateway/tables/files.h"
#include "common/codec/json.h"

/* Set the members that describe the file itself. The URL depends on the
 * request and is not among them: public_url.h adds it. */
void file_json_set(struct json_object *o, const struct file *f);

/* Make {name, size, sha256}, for a client that uploaded the file by an upload
 * link and may not see more of it. Owned: json_object_put(). NULL when out of
 * memory. */
struct json_object *file_json_receipt(const struct file *f);

/* Set a time as RFC 3339, or null for FILES_NEVER. */
void file_json_set_time(struct json_object *o, const char *key, int64_t t);

/* Set a limit, or null for QUOTA_NONE. */
void file_json_set_limit(struct json_object *o, const char *key, int64_t limit);

#endif
