/* upload_admission.h - whether the body of an upload may be received: checked
 * when the request begins, before a byte of the body is stored.
 *
 * With FastCGI the web server asks first (dispatch.c), because it buffers
 * bodies on disk. Then this runs twice: as the authorizer, which reserves, and
 * with the request itself. A request that no authorizer has admitted reserves
 * by itself.
 */
#ifndef UPLOAD_ADMISSION_H
#define UPLOAD_ADMISSION_H

#include "cgi-gateway/upload/upload.h"

enum {
	/* bytes; a body without a Content-Length may be so long. As in
	 * lighttpd/parts/admission-http.conf */
	UPLOAD_UNANNOUNCED_MAX = 256 << 20,
	/* bytes of a form that are not bytes of its files, at most; a form that
	 * has more may be refused although its files fit */
	UPLOAD_FORM_OVERHEAD = 1 << 20,
};

/* Check that `file_bytes` bytes of files fit, and reserve a body of
 * `body_bytes` bytes or REQUEST_LENGTH_UNKNOWN, in rq->admission; dispatch.c
 * ends the reservation. Bodies under UPLOAD_ASK_FIRST are not reserved: the
 * number of connections limits them. Errors are explained:
 *
 *   ERR_QUOTA             the owner has no room for the files
 *   ERR_TOO_MANY_UPLOADS  over SPOOL_USER_MAX or ADMISSION_BODIES_MAX
 *   ERR_UNAVAILABLE       over SPOOL_MAX
 *   ERR_FULL              larger than what is free on the disk of DATA_DIR
 *   ERR_BAD_TOKEN         the session has ended */
enum err upload_admit(struct upload *u, int64_t file_bytes,
		      int64_t body_bytes) MUST_CHECK;

#endif
