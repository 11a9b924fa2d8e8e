#include "cgi-gateway/scan/mime_type.h"
#include "tests/unit/cgi-gateway/folder.h"
#include "tests/unit/unit.h"

#include <pthread.h>

static struct mime_types *types;

static int open_types(void **state)
{
	struct errmsg why;

	(void)state;
	return mime_type_open("", &types, &why) == ERR_OK ? 0 : -1;
}

static int close_types(void **state)
{
	(void)state;
	mime_type_close(types);
	return 0;
}

static void check(struct span head, const char *want)
{
	char got[FILE_TYPE_MAX + 1] = "untouched";

	mime_type_of(types, head, got);
	assert_string_equal(got, want);
}

static void a_type_is_found_by_the_bytes(void **state)
{
	(void)state;
	check(SPAN("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\6\0\0\0"),
	      "image/png");
	check(SPAN("GIF89a\1\0\1\0"), "image/gif");
	check(SPAN("\xff\xd8\xff\xe0\0\x10JFIF\0\1\1"), "image/jpeg");
	check(SPAN("%PDF-1.4\n"), "application/pdf");
	check(SPAN("PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
	      "application/zip");
	check(SPAN("<script>alert(1)</script>"), "text/html");
	check(SPAN("<svg xmlns=\"http://www.w3.org/2000/svg\"/>"),
	      "image/svg+xml");
	check(SPAN("<?xml version=\"1.0\"?><a/>"), "text/xml");
	check(SPAN("{\"a\": [1, 2]}"), "application/json");
	check(SPAN("hello, world\n"), "text/plain");
	check(SPAN("gr\xc3\xbc\xc3\x9f dich\n"), "text/plain");
	check(SPAN("\1\2\3\4"), "application/octet-stream");
}

static void the_usual_formats_are_told_apart(void **state)
{
	const struct {
		struct span head;
		const char *type;
	} wanted[] = {
		{ SPAN("RIFF\0\0\0\0WEBPVP8 "), "image/webp" },
		{ SPAN("RIFF\0\0\0\0WAVEfmt "), "audio/x-wav" },
		{ SPAN("\0\0\0\40ftypavif\0\0\0\0"), "image/avif" },
		{ SPAN("\0\0\0\40ftypheic\0\0\0\0"), "image/heic" },
		{ SPAN("\0\0\0\40ftypM4A \0\0\0\0"), "audio/x-m4a" },
		{ SPAN("\0\0\0\40ftypisom\0\0\0\0"), "video/mp4" },
		{ SPAN("ID3\4\0\0\0\0\0\0"), "audio/mpeg" },
		{ SPAN("fLaC\0\0\0\x22"), "audio/flac" },
		{ SPAN("\x1a\x45\xdf\xa3\x9f\x42\x86\x81\1webm"),
		  "video/webm" },
		{ SPAN("OggS\0\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"
		       "\x13OpusHead"),
		  "audio/ogg" },
		{ SPAN("\x1f\x8b\x08\0\0\0\0\0"), "application/gzip" },
		{ SPAN("7z\xbc\xaf\x27\x1c\0\4"),
		  "application/x-7z-compressed" },
		{ SPAN("SQLite format 3\0"), "application/vnd.sqlite3" },
		{ SPAN("\x7f"
		       "ELF\2\1\1\0\0\0\0\0\0\0\0\0\3\0\x3e\0"),
		  "application/x-sharedlib" },
		{ SPAN("!<arch>\ndebian-binary   "),
		  "application/vnd.debian.binary-package" },
		{ SPAN("PK\3\4\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		       "\x13\0\0\0[Content_Types].xml word/document.xml"),
		  "application/vnd.openxmlformats-officedocument"
		  ".wordprocessingml.document" },
		{ SPAN("PK\3\4\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		       "\1\0\0\0a"),
		  "application/zip" },
		{ SPAN("wOF2\0\1\0\0"), "font/woff2" },
		{ SPAN("{\\rtf1 x}"), "text/rtf" },
		{ SPAN("\n<!DOCTYPE html>\n<p>x"), "text/html" },
		{ SPAN("<?xml version=\"1.0\"?>\n<svg/>"), "image/svg+xml" },
		{ SPAN("#!/usr/bin/perl -w\n"), "text/x-perl" },
		{ SPAN("#!/bin/unknown\nx\n"), "text/plain" },
		{ SPAN("BEGIN:VCARD\r\n"), "text/vcard" },
		/* a format that is known, with contents that are not */
		{ SPAN("RIFF\0\0\0\0other\0\0\0"), "application/octet-stream" },
		{ SPAN("\0\0\0\40ftypwhat\0\0\0\0"),
		  "application/octet-stream" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wanted); i++)
		check(wanted[i].head, wanted[i].type);
}

/* Bytes are no text, whatever text is in them */
static void bytes_with_tags_are_no_document(void **state)
{
	(void)state;
	check(SPAN("\1\2\3\4<html><script>alert(1)</script>"),
	      "application/octet-stream");
	check(SPAN("\1\2\3\4<?xml version=\"1.0\"?><svg/>"),
	      "application/octet-stream");
}

static void a_single_byte_is_examined_too(void **state)
{
	(void)state;
	check(SPAN("x"), "text/plain");
	check(SPAN("\n"), "text/plain");
	check(SPAN("\0"), "application/octet-stream");
}

static void an_empty_file_has_the_type_of_empty_files(void **state)
{
	(void)state;
	check(SPAN(""), "application/x-empty");
	check((struct span) { NULL, 0 }, "application/x-empty");
}

/* With limits of its own libmagic spends a third of a second on the first */
static void the_most_expensive_bytes_are_text(void **state)
{
	static const char *const patterns[] = { "\n", "\t",	     "\r\n",
						" ",  "class a {\n", "<a ",
						"{" };
	char *head = malloc(MIME_TYPE_HEAD);

	(void)state;
	assert_non_null(head);
	for (size_t i = 0; i < COUNT(patterns); i++) {
		size_t n = strlen(patterns[i]);

		for (size_t k = 0; k < MIME_TYPE_HEAD; k++)
			head[k] = patterns[i][k % n];
		check((struct span) { head, MIME_TYPE_HEAD }, "text/plain");
	}
	free(head);
}

static void *find_types(void *arg)
{
	const char *wrong = NULL;

	(void)arg;
	for (int i = 0; i < 200 && wrong == NULL; i++) {
		char got[FILE_TYPE_MAX + 1];

		mime_type_of(types, SPAN("GIF89a\1\0\1\0"), got);
		if (strcmp(got, "image/gif") != 0)
			wrong = "a GIF";
		mime_type_of(types, SPAN("hello, world\n"), got);
		if (strcmp(got, "text/plain") != 0)
			wrong = "text";
	}
	return (void *)(uintptr_t)wrong;
}

static void more_threads_than_cookies_share_them(void **state)
{
	pthread_t threads[MIME_TYPE_COOKIES * 3];
	void *wrong;

	(void)state;
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, find_types, NULL), 0);
	for (size_t i = 0; i < COUNT(threads); i++) {
		assert_int_equal(pthread_join(threads[i], &wrong), 0);
		assert_null(wrong);
	}
}

static void an_invalid_database_is_refused(void **state)
{
	struct mime_types *none = NULL;
	char dir[FOLDER_PATH_MAX], path[FOLDER_PATH_MAX + 16];
	struct errmsg why = { "" };
	FILE *f;

	(void)state;
	assert_err(mime_type_open("/nowhere/magic.mgc", &none, &why),
		   ERR_CONFIG);
	assert_contains(why.text, "/nowhere/magic.mgc");
	folder_make(dir);
	(void)snprintf(path, sizeof(path), "%s/magic.mgc", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs("\x1c\x04\x1e\xf1 of another version", f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_err(mime_type_open(path, &none, &why), ERR_CONFIG);
	folder_remove(dir);
	assert_null(none);
	mime_type_close(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_type_is_found_by_the_bytes),
		TEST(the_usual_formats_are_told_apart),
		TEST(bytes_with_tags_are_no_document),
		TEST(a_single_byte_is_examined_too),
		TEST(an_empty_file_has_the_type_of_empty_files),
		TEST(the_most_expensive_bytes_are_text),
		TEST(more_threads_than_cookies_share_them),
		TEST(an_invalid_database_is_refused),
	};

	return cmocka_run_group_tests(tests, open_types, close_types);
}
