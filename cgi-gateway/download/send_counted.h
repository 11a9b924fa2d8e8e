/* send_counted.h - sends the file of a share link and counts its downloads.
 *
 * Of a link with max_downloads the gateway itself sends the bytes, so that it
 * knows how many a client that broke the connection did not get: these are given
 * back, and the download can be resumed.
 * docs/decisions/0038-a-counted-download-sends-the-file-once.md
 */
#ifndef SEND_COUNTED_H
#define SEND_COUNTED_H

#include "cgi-gateway/download/send_file.h"
#include "cgi-gateway/tables/links.h"

/* Respond as planned, if the link allows it. Only what sends bytes is counted:
 * no HEAD, 304, 412 or 416.
 *
 *   ERR_GONE         no download is left
 *   ERR_UNAVAILABLE  too many are being sent at this moment
 *
 * Also the errors of send_file_stream() and of links.h. */
enum err send_counted(const struct send_file *s, const struct link *l,
		      struct app *app, struct request *rq,
		      struct response *rs) MUST_CHECK;

#endif
