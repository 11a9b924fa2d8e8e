#include "cgi-gateway/parse/type_class.h"

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

bool type_is_inert(struct span type)
{
	static const char *const inert[] = {
		"image/png",  "image/jpeg", "image/gif",  "image/webp",
		"image/avif", "text/plain", "audio/mpeg", "audio/ogg",
		"audio/wav",  "audio/flac", "video/mp4",  "video/webm",
		"video/ogg",  "audio/mp4",  NULL,
	};

	return is_one_of(type, inert);
}

bool type_is_document(struct span type)
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

/* Text that nothing runs, loads or renders: plain text, tables, what libmagic
 * calls source code. Any other kind of text is sent as plain text, because
 * some program may take it for a script. */
static const char *const harmless_text[] = {
	"text/calendar",
	"text/csv",
	"text/markdown",
	"text/n3",
	"text/plain",
	"text/richtext",
	"text/rtf",
	"text/tab-separated-values",
	"text/troff",
	"text/turtle",
	"text/uri-list",
	"text/vcard",
	"text/vtt",
	"text/x-algol68",
	"text/x-asm",
	"text/x-awk",
	"text/x-bibtex",
	"text/x-c",
	"text/x-c++",
	"text/x-csharp",
	"text/x-csrc",
	"text/x-c++src",
	"text/x-chdr",
	"text/x-diff",
	"text/x-fortran",
	"text/x-gawk",
	"text/x-go",
	"text/x-java",
	"text/x-kotlin",
	"text/x-lisp",
	"text/x-log",
	"text/x-lua",
	"text/x-m4",
	"text/x-makefile",
	"text/x-markdown",
	"text/x-msdos-batch",
	"text/x-nawk",
	"text/x-objective-c",
	"text/x-pascal",
	"text/x-patch",
	"text/x-perl",
	"text/x-php",
	"text/x-po",
	"text/x-python",
	"text/x-ruby",
	"text/x-rust",
	"text/x-script.python",
	"text/x-sfv",
	"text/x-shellscript",
	"text/x-sql",
	"text/x-tcl",
	"text/x-tex",
	"text/x-texinfo",
	"text/x-typescript",
	"text/x-vcalendar",
	"text/x-vcard",
	"text/yaml",
	"text/x-yaml",
	NULL,
};

static bool is_harmless_text(struct span type)
{
	return is_one_of(type, harmless_text);
}

/* XML that is data. Other kinds may transform, style or script a page. */
static bool is_harmless_xml(struct span type)
{
	static const char *const harmless[] = {
		"application/atom+xml",
		"application/gml+xml",
		"application/gpx+xml",
		"application/rdf+xml",
		"application/rss+xml",
		"application/vnd.garmin.tcx+xml",
		"application/vnd.google-earth.kml+xml",
		"application/vnd.recordare.musicxml+xml",
		NULL,
	};

	return is_one_of(type, harmless);
}

/* Whether the subtype contains the name of a script, a program, a style sheet
 * or of what configures a page: application/xslt+xml, application/x-java-applet
 */
static bool names_program(struct span subtype)
{
	static const char *const parts[] = {
		"script",
		"java",
		"ecma",
		"vbs",
		"jsx",
		"css",
		"xsl",
		"hta",
		"wasm",
		"flash",
		"shockwave",
		"director",
		"futuresplash",
		"silverlight",
		"xaml",
		"xbap",
		"xul",
		"applet",
		"component",
		"manifest",
		"importmap",
		"speculation",
		"xpinstall",
		"chrome-extension",
		"ms-application",
		"httpd",
		"htmlhelp",
		"mimearchive",

		NULL,
	};

	/* The language of printers; no browser runs it */
	if (span_eq(subtype, SPAN("postscript")))
		return false;
	for (; subtype.len > 0; subtype = span_from(subtype, 1))
		if (has_prefix_of(subtype, parts))
			return true;
	return false;
}

static bool is_known_kind(struct span kind)
{
	static const char *const kinds[] = { "application", "audio", "chemical",
					     "font",	    "image", "message",
					     "model",	    "text",  "video",
					     NULL };

	return is_one_of(kind, kinds);
}

/* Where types are countless, those that are known to be harmless are listed;
 * where most are harmless data, the others are */
bool type_is_active(struct span type)
{
	struct span kind = type, subtype;

	if (!span_cut(&kind, '/', &subtype) || !is_known_kind(kind))
		return true;
	if (type_is_document(type))
		return false;
	if (span_eq(kind, SPAN("text")))
		return !is_harmless_text(type);
	if (span_has_suffix(subtype, SPAN("+xml")))
		return !is_harmless_xml(type);
	return names_program(subtype) ||
	       (span_eq(kind, SPAN("image")) &&
		span_has_prefix(subtype, SPAN("svg")));
}

bool type_is_zip(struct span type)
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
		"application/vnd.android.package-archive",
		"application/vnd.google-earth.kmz",
		"application/vnd.ms-xpsdocument",
		"application/x-xpinstall",
		NULL,
	};

	return span_has_suffix(type, SPAN("+zip")) || is_one_of(type, names) ||
	       has_prefix_of(type, beginnings);
}

bool type_is_json(struct span type)
{
	static const char *const names[] = { "application/json",
					     "application/x-ndjson", NULL };

	return span_has_suffix(type, SPAN("+json")) || is_one_of(type, names);
}
