/* upload_form.h - reads a form (multipart/form-data) with any number of files
 * and with fields.
 *
 * Each part that has a filename is a file. docs/decisions/0039 says what becomes
 * of each other part. Of the fields, two are parameters, wherever they are in
 * the form: `expires_in` applies to all files, `sha256` to the only one; `owner`
 * is refused. Others are ignored.
 */
#ifndef UPLOAD_FORM_H
#define UPLOAD_FORM_H

#include "cgi-gateway/upload/upload.h"

enum {
	UPLOAD_FIELD_MAX = 1 << 20, /* bytes of a field that is not a file */
	UPLOAD_VALUE_MAX = 256,	    /* bytes of a field that is a parameter */
	UPLOAD_PARTS_MAX = 2000,    /* parts of a form, with its files */
};

/* Read the body; each error is explained, and names the part. Errors of
 * upload.h, and:
 *
 *   ERR_FORMAT      malformed, or with a part of a file (upload_whole.h)
 *   ERR_MEDIA_TYPE  a part is encoded (base64, gzip, ...)
 *   ERR_INVALID     a part is a file that has no name, or a parameter is wrong
 *   ERR_TOO_LARGE   over a limit above
 *   ERR_DIGEST      the file differs from the field `sha256`
 *   ERR_NO_FILE, ERR_TRUNCATED */
enum err upload_form_receive(struct upload *u) MUST_CHECK;

#endif
