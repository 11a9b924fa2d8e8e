/* app.h - what the gateway's handlers are given. */
#ifndef APP_H
#define APP_H

#include "file_name.h"
#include "files.h"
#include "inspector.h"
#include "router.h"
#include "serve.h"
#include "store.h"

struct app {
	/* settings, filled by config_load() */
	char *data_dir, *sendfile;
	int64_t max_upload;	   /* bytes of one file */
	int64_t max_files;	   /* files of one request */
	struct quota_limits quota; /* of owners without limits of their own */
	struct inspector inspector;
	/* made by app_open() in main.c */
	bool by_server; /* the server sends the bytes: X-Sendfile */
	struct store *store;
	struct db *db;		 /* the service's */
	struct metrics *metrics; /* the service's */
	const char *public_url;	 /* the service's; may be "" */
};

handler_fn handle_upload;	/* POST /upload */
handler_fn handle_upload_named; /* PUT /upload/{name} */
handler_fn handle_download;	/* GET /download/{id}, GET /download?fid= */
handler_fn handle_files;	/* GET /files */
handler_fn handle_file;		/* GET /files/{id} */
handler_fn handle_file_change;	/* PATCH /files/{id} */
handler_fn handle_file_remove;	/* DELETE /files/{id} */
handler_fn handle_link_new;	/* POST /files/{id}/links */
handler_fn handle_links;	/* GET /files/{id}/links */
handler_fn handle_link_end;	/* DELETE /links/{id} */
handler_fn handle_shared;	/* GET /s/{token} */
handler_fn handle_usage;	/* GET /usage */
handler_fn handle_ready;	/* GET /readyz */
handler_fn handle_metrics;	/* GET /metrics */

#endif
