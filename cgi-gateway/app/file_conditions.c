#include "cgi-gateway/app/file_conditions.h"

#include "cgi-gateway/app/public_url.h"

static void write_etag(const unsigned char *hash, size_t len,
		       char out[static FILE_ETAG_SIZE])
{
	out[0] = '"';
	hex_encode((struct span) { (const char *)hash, len }, out + 1,
		   FILE_ETAG_SIZE - 1);
	out[1 + 2 * len] = '"';
	out[2 + 2 * len] = '\0';
}

void file_etag(const struct file *f, char out[static FILE_ETAG_SIZE])
{
	write_etag(f->sha256, SHA256_LEN, out);
}

struct conditions file_conditions(const struct request *rq)
{
	return (struct conditions) {
		.if_match = request_header(rq, "If-Match"),
		.if_unmodified_since =
			request_header(rq, "If-Unmodified-Since"),
		.if_none_match = request_header(rq, "If-None-Match"),
		.if_modified_since = request_header(rq, "If-Modified-Since"),
		.if_range = request_header(rq, "If-Range"),
		.now = rq->now,
	};
}

enum err file_conditions_explain(struct response *rs)
{
	return response_explain(
		rs, ERR_CONDITION,
		"The file is not in the state that If-Match, If-None-Match or "
		"If-Unmodified-Since requires. Request it again, compare, and "
		"repeat with its ETag, including the quotes.");
}

enum err file_record_make(const struct app *app, const struct request *rq,
			  const struct file *f, struct file_record *out)
{
	unsigned char hash[SHA256_LEN];
	struct json_object *o = public_url_file_json(app, rq, f);
	struct span text;

	if (o == NULL)
		return ERR_MEMORY;
	text = json_write(o);
	if (text.p == NULL) {
		json_object_put(o);
		return ERR_MEMORY;
	}
	sha256_of(text, hash);
	out->json = o;
	/* Half of it, so that it is not taken for the ETag of bytes */
	write_etag(hash, SHA256_LEN / 2, out->etag);
	return ERR_OK;
}

void file_record_release(struct file_record *r)
{
	json_object_put(r->json);
	r->json = NULL;
}

enum condition_result file_record_check(const struct request *rq,
					const struct file *f,
					const struct file_record *r)
{
	const struct conditions c = file_conditions(rq);
	bool reads = rq->head || span_eq(rq->method, SPAN("GET"));
	char bytes[FILE_ETAG_SIZE];
	/* When the record was last changed is not known */
	const struct validators v = { .etag = span_of(r->etag),
				      .other = { bytes, HEX_SHA256_LEN + 2 },
				      .modified = f->created_at };

	file_etag(f, bytes);
	return condition_check(&c, &v, reads);
}

enum err file_record_send(const struct file_record *r, struct response *rs)
{
	response_header_str(rs, "ETag", r->etag);
	return response_json(rs, 200, r->json);
}
