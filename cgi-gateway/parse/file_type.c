#include "cgi-gateway/parse/file_type.h"

#include "common/codec/field.h"

#define TEXT SPAN("text/plain")
#define DATA SPAN("application/octet-stream")

/* Copy `type`, of at most FILE_TYPE_MAX bytes, in lower case */
static void copy_lower(struct span type, char out[static FILE_TYPE_MAX + 1])
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
	copy_lower(whole, out);
}

/* --- lists of types ------------------------------------------------------- */

static bool is_one_of(struct span type, const char *const *list)
{
	for (; *list != NULL; list++)
		if (span_eq(type, span_of(*list)))
			return true;
	return false;
}

static bool has_prefix_of(struct span type, const char *const *prefixes)
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

/* Whether a page can load it as a script or style sheet, which it can from any
 * address and with any Content-Disposition (list: WHATWG MIME Sniffing 4.6) */
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

/* Whether it is a document that can contain a script; libmagic recognizes all
 * of these */
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
	       has_prefix_of(type, beginnings);
}

static bool is_json(struct span type)
{
	static const char *const names[] = { "application/json",
					     "application/x-ndjson", NULL };

	return span_has_suffix(type, SPAN("+json")) || is_one_of(type, names);
}

/* --- the decision --------------------------------------------------------- */

/* The format of a type's bytes, as far as it matters here */
enum format {
	FORMAT_ANY,
	FORMAT_DATA,
	FORMAT_TEXT,
	FORMAT_XML,
	FORMAT_JSON,
	FORMAT_ZIP
};

static enum format format_of(struct span type)
{
	static const char *const data[] = { "image/", "audio/", "video/",
					    "font/", NULL };

	if (span_has_suffix(type, SPAN("+xml")) ||
	    span_eq(type, SPAN("application/xml")) ||
	    span_eq(type, SPAN("text/xml")))
		return FORMAT_XML;
	if (is_zip(type))
		return FORMAT_ZIP;
	if (is_json(type))
		return FORMAT_JSON;
	if (span_has_prefix(type, SPAN("text/")))
		return FORMAT_TEXT;
	if (span_eq(type, DATA) || has_prefix_of(type, data))
		return FORMAT_DATA;
	return FORMAT_ANY;
}

/* True if `claimed` is a more specific type of the same bytes than `found` */
static bool refines(struct span found, struct span claimed)
{
	enum format is = format_of(found), claim = format_of(claimed);

	/* libmagic only guesses the kind of text, but is right that it is text
	 */
	if (span_eq(claimed, TEXT))
		return is == FORMAT_TEXT && !is_document(found);
	if (claimed.len == 0 || span_eq(claimed, DATA) ||
	    file_type_is_inert(claimed) || is_script(claimed) ||
	    is_document(claimed))
		return false;
	if (found.len == 0)
		return claim != FORMAT_XML;
	if (span_eq(found, DATA))
		return claim == FORMAT_DATA || claim == FORMAT_ANY;
	if (is_document(found))
		return claim == FORMAT_XML &&
		       (span_eq(found, SPAN("text/xml")) ||
			span_eq(found, SPAN("application/xml")));
	/* libmagic detects JSON only in its entirety; from the beginning of a
	 * longer file it finds only text */
	if (is == FORMAT_TEXT)
		return claim == FORMAT_TEXT || claim == FORMAT_JSON ||
		       claim == FORMAT_ANY;
	if (is == FORMAT_JSON)
		return claim == FORMAT_JSON;
	return span_eq(found, SPAN("application/zip")) && claim == FORMAT_ZIP;
}

/* Return the name that browsers use for the type that libmagic found */
static struct span browser_name(struct span found, struct span claimed)
{
	if (span_eq(found, SPAN("application/x-empty")) ||
	    span_eq(found, SPAN("inode/x-empty")))
		return format_of(claimed) == FORMAT_TEXT ? TEXT : DATA;
	if (span_eq(found, SPAN("audio/x-wav")))
		return SPAN("audio/wav");
	if (span_eq(found, SPAN("audio/x-m4a")))
		return SPAN("audio/mp4");
	return is_script(found) ? TEXT : found;
}

void file_type_decide(struct span found, struct span claimed,
		      char out[static FILE_TYPE_MAX + 1])
{
	struct span is = browser_name(found, claimed);

	if (refines(is, claimed))
		is = claimed;
	copy_lower(is.len > 0 ? is : DATA, out);
}
