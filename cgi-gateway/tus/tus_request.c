#include "cgi-gateway/tus/tus_request.h"

#include "cgi-gateway/app/request_params.h"
#include "cgi-gateway/tus/tus_problem.h"
#include "common/codec/encode.h"

/* --- single fields -------------------------------------------------------- */

/* Read a number of bytes; TUS_LENGTH_UNKNOWN without the field */
static enum err read_bytes_field(const struct request *rq, struct response *rs,
				 const char *field, int64_t *out)
{
	struct span text = request_header(rq, field);
	int64_t n = TUS_LENGTH_UNKNOWN;

	if (text.len > 0 && !span_to_int(text, &n))
		return response_explain(rs, ERR_FORMAT,
					"%s must be a number of bytes.", field);
	*out = n;
	return ERR_OK;
}

bool tus_has_bytes(const struct request *rq)
{
	struct span type = request_content_type(rq), params;

	(void)span_cut(&type, ';', &params);
	return span_eq_nocase(span_trim(type),
			      SPAN("application/offset+octet-stream"));
}

static enum err read_concat(const struct request *rq, struct response *rs,
			    struct tus_upload *u, struct span *parts)
{
	struct span field = request_header(rq, "Upload-Concat");
	enum err e = tus_concat_parse(field, &u->concat, parts);

	if (e != ERR_OK)
		return response_explain(
			rs, e,
			"Upload-Concat must be \"partial\", or \"final;\" "
			"followed by the URLs of the parts, in at most %d "
			"bytes.",
			TUS_CONCAT_MAX);
	(void)span_to_cstr(field, u->concat_sent, sizeof(u->concat_sent));
	return ERR_OK;
}

/* Read the length. A final upload must not have one: it is the sum of its parts
 */
static enum err read_length(const struct request *rq, struct response *rs,
			    int64_t max_upload, struct tus_upload *u)
{
	struct span defer = request_header(rq, "Upload-Defer-Length");
	enum err e = read_bytes_field(rq, rs, "Upload-Length", &u->length);
	bool known = u->length != TUS_LENGTH_UNKNOWN;

	if (e != ERR_OK)
		return e;
	if (u->concat == TUS_FINAL)
		return !known && defer.len == 0
			       ? ERR_OK
			       : response_explain(
					 rs, ERR_FORMAT,
					 "A final upload has the length of its "
					 "parts. Do not send a length.");
	if (known == (defer.len > 0) ||
	    (defer.len > 0 && !span_eq(defer, SPAN("1"))))
		return response_explain(rs, ERR_FORMAT,
					"Send either Upload-Length, a number "
					"of bytes, or Upload-Defer-Length: 1.");
	if (u->length > max_upload)
		return tus_problem_max_upload(rs, max_upload);
	return ERR_OK;
}

/* --- Upload-Metadata ------------------------------------------------------ */

/* Read a value as text into `buffer`; false if there is none */
static bool metadata_value(const struct tus_upload *u, const char *key,
			   char buffer[static TUS_METADATA_MAX],
			   struct span *value)
{
	size_t len;

	if (tus_metadata_get(span_of(u->metadata), key, buffer,
			     TUS_METADATA_MAX, &len) != ERR_OK)
		return false;
	*value = (struct span) { buffer, len };
	return true;
}

static enum err read_name_and_type(struct tus_upload *u,
				   struct text_fault *fault)
{
	char name_buffer[TUS_METADATA_MAX], type_buffer[TUS_METADATA_MAX];
	struct span name = SPAN("unnamed"), type = SPAN("");

	/* Client libraries differ in the keys that they send */
	if (!metadata_value(u, "filename", name_buffer, &name))
		(void)metadata_value(u, "name", name_buffer, &name);
	if (!metadata_value(u, "filetype", type_buffer, &type))
		(void)metadata_value(u, "type", type_buffer, &type);
	file_type_clean(type, u->type);
	return file_name_clean(name, u->name, fault);
}

static enum err read_sha256(struct response *rs, struct tus_upload *u)
{
	char buffer[TUS_METADATA_MAX];
	struct span hex;
	size_t len;

	u->has_sha256 = metadata_value(u, "sha256", buffer, &hex);
	if (!u->has_sha256)
		return ERR_OK;
	if (hex.len != HEX_SHA256_LEN ||
	    hex_decode(hex, (char *)u->sha256, SHA256_LEN, &len) != ERR_OK)
		return response_explain(rs, ERR_FORMAT,
					"sha256 in Upload-Metadata must be 64 "
					"hex digits.");
	return ERR_OK;
}

static enum err read_life(const struct request *rq, struct response *rs,
			  struct tus_upload *u)
{
	char buffer[TUS_METADATA_MAX];
	struct span text;
	int64_t seconds = 0, expires_at;

	if (!metadata_value(u, "expires_in", buffer, &text))
		return ERR_OK;
	/* 0 is out of range, and so is a text that is not a number */
	if (!span_to_int(text, &seconds))
		seconds = 0;
	u->life = seconds;
	return request_expiry(rq, rs, seconds, &expires_at);
}

static enum err read_metadata(const struct request *rq, struct response *rs,
			      struct tus_upload *u)
{
	struct span field = request_header(rq, "Upload-Metadata");
	enum err e = tus_metadata_check(field);
	struct text_fault fault = { "" };

	if (e != ERR_OK)
		return response_explain(
			rs, e == ERR_TOO_LARGE ? e : ERR_FORMAT,
			"Upload-Metadata must be a list of keys, each followed "
			"by a space and its value in base64: at most %d "
			"different keys in %d bytes.",
			TUS_METADATA_KEYS, TUS_METADATA_MAX);
	(void)span_to_cstr(field, u->metadata, sizeof(u->metadata));
	if (read_name_and_type(u, &fault) != ERR_OK)
		return response_explain(rs, ERR_INVALID,
					"The name of the file %s.", fault.text);
	e = read_sha256(rs, u);
	return e == ERR_OK ? read_life(rq, rs, u) : e;
}

/* --- requests ------------------------------------------------------------- */

enum err tus_creation_read(const struct request *rq, struct response *rs,
			   int64_t max_upload, struct tus_upload *u,
			   struct span *parts)
{
	enum err e = read_concat(rq, rs, u, parts);

	if (e == ERR_OK)
		e = read_length(rq, rs, max_upload, u);
	return e == ERR_OK ? read_metadata(rq, rs, u) : e;
}

enum err tus_patch_read(const struct request *rq, struct response *rs,
			struct tus_body *out)
{
	struct tus_body body = { TUS_LENGTH_UNKNOWN, TUS_LENGTH_UNKNOWN };
	enum err e;

	if (!tus_has_bytes(rq))
		return response_explain(rs, ERR_MEDIA_TYPE,
					"Send the bytes with Content-Type: "
					"application/offset+octet-stream.");
	e = read_bytes_field(rq, rs, "Upload-Offset", &body.offset);
	if (e == ERR_OK && body.offset < 0)
		return response_explain(rs, ERR_FORMAT,
					"Upload-Offset is missing. Send the "
					"number of bytes that the upload has.");
	if (e == ERR_OK)
		e = read_bytes_field(rq, rs, "Upload-Length", &body.length);
	if (e == ERR_OK)
		*out = body;
	return e;
}
