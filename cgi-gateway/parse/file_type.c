#include "cgi-gateway/parse/file_type.h"

#include "common/codec/field.h"

#define TEXT SPAN("text/plain")
#define DATA SPAN("application/octet-stream")

/* In lower case; `type` is no longer than FILE_TYPE_MAX */
static void keep(struct span type, char out[static FILE_TYPE_MAX + 1])
{
	for (size_t i = 0; i < type.len; i++) {
		char c = type.p[i];

		out[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	out[type.len] = '\0';
}

void file_type_clean(struct span sent, char out[static FILE_TYPE_MAX + 1])
{
	struct span type = sent, subtype, ignored, whole;

	(void)span_cut(&type, ';', &ignored);
	type = span_trim(type);
	whole = type;
	if (whole.len > FILE_TYPE_MAX || !span_cut(&type, '/', &subtype) ||
	    !field_is_token(type) || !field_is_token(subtype) ||
	    span_eq_nocase(type, SPAN("multipart")) ||
	    span_eq_nocase(whole, SPAN("application/x-www-form-urlencoded")))
		whole = DATA;
	keep(whole, out);
}

/* --- lists of types ----------------------------------------------------- */

static bool is_one_of(struct span type, const char *const *list)
{
	for (; *list != NULL; list++)
		if (span_eq(type, span_of(*list)))
			return true;
	return false;
}

static bool begins_like(struct span type, const char *const *prefixes)
{
	for (; *prefixes != NULL; prefixes++)
		if (span_has_prefix(type, span_of(*prefixes)))
			return true;
	return false;
}

bool file_type_is_inert(struct span type)
{
	static const char *const inert[] = {
		"image/png",  "image/jpeg", "image/gif",  "image/webp",
		"image/avif", "text/plain", "audio/mpeg", "audio/ogg",
		"audio/wav",  "audio/flac", "video/mp4",  "video/webm",
		"video/ogg",  "audio/mp4",  NULL,
	};

	return is_one_of(type, inert);
}

/* A page may load it as its own code or style, wherever it lies and whatever
 * its Content-Disposition says (WHATWG MIME Sniffing 4.6 has the list) */
static bool is_script(struct span type)
{
	static const char *const names[] = { "ecmascript", "jscript",
					     "livescript", NULL };
	struct span subtype;

	if (span_eq(type, SPAN("text/css")))
		return true;
	if (!span_cut(&type, '/', &subtype))
		return false;
	if (span_has_prefix(subtype, SPAN("x-")))
		subtype = span_from(subtype, 2);
	return span_has_prefix(subtype, SPAN("javascript")) ||
	       is_one_of(subtype, names);
}

/* Documents that can hold a script, all known to libmagic by themselves */
static bool is_document(struct span type)
{
	static const char *const documents[] = {
		"text/html",
		"application/xhtml+xml",
		"image/svg+xml",
		"application/pdf",
		"application/xml",
		"text/xml",
		NULL,
	};

	return is_one_of(type, documents);
}

static bool is_zip(struct span type)
{
	static const char *const beginnings[] = {
		"application/vnd.openxmlformats-officedocument.",
		"application/vnd.oasis.opendocument.",
		"application/vnd.ms-word.",
		"application/vnd.ms-excel.",
		"application/vnd.ms-powerpoint.",
		NULL,
	};
	static const char *const names[] = {
		"application/zip",
		"application/x-zip-compressed",
		"application/java-archive",
		"application/vnd.android.package-archive",
		"application/vnd.google-earth.kmz",
		"application/vnd.ms-xpsdocument",
		"application/x-xpinstall",
		NULL,
	};

	return span_has_suffix(type, SPAN("+zip")) || is_one_of(type, names) ||
	       begins_like(type, beginnings);
}

static bool is_json(struct span type)
{
	static const char *const names[] = { "application/json",
					     "application/x-ndjson", NULL };

	return span_has_suffix(type, SPAN("+json")) || is_one_of(type, names);
}

/* --- the decision ------------------------------------------------------- */

/* What the bytes of a file of some type are, as far as it matters here */
enum matter {
	MATTER_ANY,
	MATTER_DATA,
	MATTER_TEXT,
	MATTER_XML,
	MATTER_JSON,
	MATTER_ZIP
};

static enum matter matter_of(struct span type)
{
	static const char *const data[] = { "image/", "audio/", "video/",
					    "font/", NULL };

	if (span_has_suffix(type, SPAN("+xml")) ||
	    span_eq(type, SPAN("application/xml")) ||
	    span_eq(type, SPAN("text/xml")))
		return MATTER_XML;
	if (is_zip(type))
		return MATTER_ZIP;
	if (is_json(type))
		return MATTER_JSON;
	if (span_has_prefix(type, SPAN("text/")))
		return MATTER_TEXT;
	if (span_eq(type, DATA) || begins_like(type, data))
		return MATTER_DATA;
	return MATTER_ANY;
}

/* Whether `claimed` says more of the same bytes than `found` */
static bool refines(struct span found, struct span claimed)
{
	enum matter is = matter_of(found), said = matter_of(claimed);

	/* libmagic's finer kinds of text are guesses, but text it is */
	if (span_eq(claimed, TEXT))
		return is == MATTER_TEXT && !is_document(found);
	if (claimed.len == 0 || span_eq(claimed, DATA) ||
	    file_type_is_inert(claimed) || is_script(claimed) ||
	    is_document(claimed))
		return false;
	if (found.len == 0)
		return said != MATTER_XML;
	if (span_eq(found, DATA))
		return said == MATTER_DATA || said == MATTER_ANY;
	if (is_document(found))
		return said == MATTER_XML &&
		       (span_eq(found, SPAN("text/xml")) ||
			span_eq(found, SPAN("application/xml")));
	/* Of JSON that goes on behind the bytes that it sees, libmagic knows
	 * only that it is text */
	if (is == MATTER_TEXT)
		return said == MATTER_TEXT || said == MATTER_JSON ||
		       said == MATTER_ANY;
	if (is == MATTER_JSON)
		return said == MATTER_JSON;
	return span_eq(found, SPAN("application/zip")) && said == MATTER_ZIP;
}

/* What libmagic says under the name by which browsers know it */
static struct span usual(struct span found, struct span claimed)
{
	if (span_eq(found, SPAN("application/x-empty")) ||
	    span_eq(found, SPAN("inode/x-empty")))
		return matter_of(claimed) == MATTER_TEXT ? TEXT : DATA;
	if (span_eq(found, SPAN("audio/x-wav")))
		return SPAN("audio/wav");
	if (span_eq(found, SPAN("audio/x-m4a")))
		return SPAN("audio/mp4");
	return is_script(found) ? TEXT : found;
}

void file_type_decide(struct span found, struct span claimed,
		      char out[static FILE_TYPE_MAX + 1])
{
	struct span is = usual(found, claimed);

	if (refines(is, claimed))
		is = claimed;
	keep(is.len > 0 ? is : DATA, out);
}
