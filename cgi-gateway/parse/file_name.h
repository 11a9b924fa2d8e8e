/* file_name.h - the name of a file as its client sent it. It is only data,
 * never used as a path.
 */
#ifndef FILE_NAME_H
#define FILE_NAME_H

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/span.h"
#include "common/codec/visible_text.h"

enum {
	FILE_NAME_MAX = 255, /* bytes of UTF-8, as in most file systems */
	/* bytes of a Content-Disposition value: a name twice, with up to three
	 * bytes for each of its bytes, and what is around it */
	FILE_NAME_DISPOSITION_MAX = FILE_NAME_MAX * 6 + 64,
};

/* Make the name to store: the part after the last "/" or "\" of `sent`, because
 * old browsers send whole paths, cleaned (visible_text.h). ERR_INVALID, with
 * *fault filled, if nothing is left, for "." and "..", and for a name that is
 * refused there or longer than FILE_NAME_MAX. */
enum err file_name_clean(struct span sent, char out[static FILE_NAME_MAX + 1],
			 struct text_fault *fault) MUST_CHECK;

/* The same for a name that a person has typed in, which is never a path:
 * ERR_INVALID if it has a "/" or "\". */
enum err file_name_clean_typed(struct span sent,
			       char out[static FILE_NAME_MAX + 1],
			       struct text_fault *fault) MUST_CHECK;

/* How `filename` of a Content-Disposition has a name that is not plain ASCII.
 * Browsers and most other clients read filename* instead:
 * docs/decisions/0037-file-names-of-downloads.md */
enum file_name_form {
	/* %XX for each byte; a long one is cut, and ends with a hash */
	FILE_NAME_ENCODED,
	/* In UTF-8, for curl, which reads nothing else. A quote or backslash
	 * becomes a full-width one, because curl does not unescape them. */
	FILE_NAME_UTF8,
};

/* Return the form for a client with this User-Agent. */
enum file_name_form file_name_form_of(struct span user_agent);

/* Append a Content-Disposition value (RFC 6266): a filename, and filename* (RFC
 * 8187) if the name is not plain ASCII. */
void file_name_disposition(struct span name, bool inline_,
			   enum file_name_form form, struct buf *out);

#endif
