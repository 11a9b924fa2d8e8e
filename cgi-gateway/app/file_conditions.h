/* file_conditions.h - the ETags of a file, and the conditions of a request for
 * it (RFC 9110 8.8.3 and 13).
 *
 * A file has two representations. Its bytes never change, and their ETag is
 * their SHA-256. Its record (file_json.h) changes with the name and the expiry,
 * and its ETag is a hash of the JSON. If-Match accepts either for the record,
 * so that a client can use the ETag of a download, too.
 */
#ifndef FILE_CONDITIONS_H
#define FILE_CONDITIONS_H

#include "cgi-gateway/app/app.h"
#include "cgi-gateway/parse/condition.h"
#include "common/codec/encode.h"
#include "common/codec/json.h"
#include "common/http/request.h"
#include "common/http/response.h"

/* An ETag with its quotes and the NUL */
enum { FILE_ETAG_SIZE = HEX_SIZE(SHA256_LEN) + 2 };

/* Format the ETag of the bytes. */
void file_etag(const struct file *f, char out[static FILE_ETAG_SIZE]);

/* Return the conditions that `rq` has, borrowed from it. */
struct conditions file_conditions(const struct request *rq);

/* Explain that a condition does not hold. Returns ERR_CONDITION. */
enum err file_conditions_explain(struct response *rs);

/* The record of a file for one client. */
struct file_record {
	struct json_object *json; /* owned */
	char etag[FILE_ETAG_SIZE];
};

/* Make the record; file_record_release(). ERR_MEMORY. */
enum err file_record_make(const struct app *app, const struct request *rq,
			  const struct file *f,
			  struct file_record *out) MUST_CHECK;
void file_record_release(struct file_record *r);

/* Evaluate the conditions of `rq`, which reads or changes the file. */
enum condition_result file_record_check(const struct request *rq,
					const struct file *f,
					const struct file_record *r);

/* Send the record with its ETag. */
enum err file_record_send(const struct file_record *r,
			  struct response *rs) MUST_CHECK;

#endif
