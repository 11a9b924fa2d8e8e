#include "cgi-gateway/parse/file_type.h"

#include "cgi-gateway/parse/type_class.h"
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
	if (span_has_suffix(type, SPAN("+xml")) ||
	    span_eq(type, SPAN("application/xml")) ||
	    span_eq(type, SPAN("text/xml")))
		return FORMAT_XML;
	if (type_is_zip(type))
		return FORMAT_ZIP;
	if (type_is_json(type))
		return FORMAT_JSON;
	if (span_has_prefix(type, SPAN("text/")))
		return FORMAT_TEXT;
	if (span_eq(type, DATA) || span_has_prefix(type, SPAN("image/")) ||
	    span_has_prefix(type, SPAN("audio/")) ||
	    span_has_prefix(type, SPAN("video/")) ||
	    span_has_prefix(type, SPAN("font/")))
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
		return is == FORMAT_TEXT && !type_is_document(found);
	if (claimed.len == 0 || span_eq(claimed, DATA) ||
	    type_is_inert(claimed) || type_is_active(claimed) ||
	    type_is_document(claimed))
		return false;
	if (found.len == 0)
		return claim != FORMAT_XML;
	if (span_eq(found, DATA))
		return claim == FORMAT_DATA || claim == FORMAT_ANY;
	if (type_is_document(found))
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

/* Return the type to send for an active one: that of its bytes */
static struct span sent_as(struct span type)
{
	struct span kind = type, subtype;

	if (type.len == 0 || !type_is_active(type))
		return type;
	if (!span_cut(&kind, '/', &subtype))
		return DATA;
	if (span_eq(subtype, SPAN("java-archive")))
		return SPAN("application/zip");
	return span_eq(kind, SPAN("text")) ||
			       span_has_suffix(subtype, SPAN("script")) ||
			       span_has_suffix(subtype, SPAN("+xml"))
		       ? TEXT
		       : DATA;
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
	return sent_as(found);
}

void file_type_decide(struct span found, struct span claimed,
		      char out[static FILE_TYPE_MAX + 1])
{
	struct span is = browser_name(found, claimed);

	if (refines(is, claimed))
		is = claimed;
	copy_lower(is.len > 0 ? is : DATA, out);
}

void file_type_to_send(struct span stored, char out[static FILE_TYPE_MAX + 1])
{
	char clean[FILE_TYPE_MAX + 1];

	file_type_clean(stored, clean);
	copy_lower(sent_as(span_of(clean)), out);
}
