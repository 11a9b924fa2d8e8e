/* What mime_type.c gives to libmagic: magic(5). The rules are our own, for the
 * types that the gateway distinguishes (docs/decisions/0045-rules-of-our-own-for-libmagic.md).
 *
 * A rule of four columns: offset, kind of test, value, an unused word.
 * ">" begins a rule that is tried if the one above it has matched. In a search,
 * /b and /t restrict it to bytes and to text; without a flag it is a memmem(3).
 */
#include "cgi-gateway/scan/magic_rules.h"

/* A rule, and the type of what it finds */
#define RULE(test, type) test "\tx\n!:mime\t" type "\n"
/* A rule for those below it */
#define TEST(test) test "\n"

/* clang-format off */
const char *const magic_rules[] = {
	/* pictures */
	RULE("0\tstring\t\\x89PNG\\r\\n\\x1a\\n", "image/png")
	RULE("0\tstring\tGIF87a", "image/gif")
	RULE("0\tstring\tGIF89a", "image/gif")
	RULE("0\tbelong&0xffffff00\t0xffd8ff00", "image/jpeg")
	TEST("0\tstring\tRIFF")
	RULE(">8\tstring\tWEBP", "image/webp")
	RULE(">8\tstring\tWAVE", "audio/x-wav")
	RULE(">8\tstring\tAVI\\x20", "video/x-msvideo")
	TEST("0\tstring\tBM")
	TEST(">6\tulelong\t0")
	RULE(">>14\tulelong\t<125", "image/bmp")
	RULE("0\tstring\tII*\\0", "image/tiff")
	RULE("0\tstring\tMM\\0*", "image/tiff")
	TEST("0\tstring\t\\0\\0\\1\\0")
	TEST(">4\tuleshort\t>0")
	RULE(">>4\tuleshort\t<257", "image/vnd.microsoft.icon")
	RULE("0\tstring\t8BPS\\0\\1", "image/vnd.adobe.photoshop")
	RULE("0\tstring\t\\0\\0\\0\\x0cjP\\x20\\x20\\r\\n", "image/jp2")
	RULE("0\tstring\t\\0\\0\\0\\x0cJXL\\x20\\r\\n", "image/jxl")
	RULE("0\tstring\tAT&TFORM", "image/vnd.djvu")
	/* sound and films */
	TEST("4\tstring\tftyp")
	RULE(">8\tstring\tavif", "image/avif")
	RULE(">8\tstring\tavis", "image/avif")
	RULE(">8\tstring\thei", "image/heic")
	RULE(">8\tstring\thev", "image/heic")
	RULE(">8\tstring\tmif1", "image/heif")
	RULE(">8\tstring\tM4A", "audio/x-m4a")
	RULE(">8\tstring\tM4B", "audio/x-m4a")
	RULE(">8\tstring\tqt\\x20\\x20", "video/quicktime")
	RULE(">8\tstring\t3g", "video/3gpp")
	RULE(">8\tstring\tM4V", "video/x-m4v")
	RULE(">8\tstring\tiso", "video/mp4")
	RULE(">8\tstring\tmp4", "video/mp4")
	RULE(">8\tstring\tavc1", "video/mp4")
	RULE(">8\tstring\tdash", "video/mp4")
	RULE(">8\tstring\tMSNV", "video/mp4")
	RULE("4\tstring\tmoov", "video/quicktime")
	RULE("0\tstring\tID3", "audio/mpeg")
	RULE("0\tbeshort&0xfffe\t0xfffa", "audio/mpeg")
	RULE("0\tbeshort&0xfffe\t0xfff2", "audio/mpeg")
	RULE("0\tbeshort&0xfff6\t0xfff0", "audio/x-hx-aac-adts")
	RULE("0\tstring\tfLaC", "audio/flac")
	RULE("0\tstring\tMThd", "audio/midi")
	RULE("0\tstring\t#!AMR", "audio/AMR")
	TEST("0\tstring\tFORM")
	RULE(">8\tstring\tAIF", "audio/x-aiff")
	TEST("0\tstring\tOggS")
	RULE(">28\tstring\t\\x80theora", "video/ogg")
	RULE(">28\tstring\t\\x01vorbis", "audio/ogg")
	RULE(">28\tstring\tOpusHead", "audio/ogg")
	RULE(">28\tstring\tSpeex", "audio/ogg")
	RULE(">28\tstring\t\\x7fFLAC", "audio/ogg")
	RULE(">28\tdefault\tx", "application/ogg")
	TEST("0\tbelong\t0x1a45dfa3")
	RULE(">4\tsearch/4096\twebm", "video/webm")
	RULE(">4\tsearch/4096\tmatroska", "video/x-matroska")
	RULE("0\tbelong\t0x000001ba", "video/mpeg")
	RULE("0\tbelong\t0x000001b3", "video/mpeg")
	RULE("0\tstring\tFLV\\1", "video/x-flv")
	RULE("0\tbelong\t0x3026b275", "video/x-ms-asf"),

	/* documents */
	RULE("0\tstring\t%PDF-", "application/pdf")
	RULE("0\tsearch/256/b\t%PDF-", "application/pdf")
	RULE("0\tsearch/256/t\t%PDF-", "application/pdf")
	RULE("0\tstring\t%!", "application/postscript")
	RULE("0\tstring\t{\\\\rtf", "text/rtf"),

	/* archives; an office document is a ZIP archive with one of these members */
	TEST("0\tstring\tPK\\3\\4")
	TEST(">30\tstring\tmimetypeapplication/")
	RULE(">>50\tstring\tepub+zip", "application/epub+zip")
	RULE(">>50\tstring\tvnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.text")
	RULE(">>50\tstring\tvnd.oasis.opendocument.spreadsheet", "application/vnd.oasis.opendocument.spreadsheet")
	RULE(">>50\tstring\tvnd.oasis.opendocument.presentation", "application/vnd.oasis.opendocument.presentation")
	RULE(">>50\tstring\tvnd.oasis.opendocument.graphics", "application/vnd.oasis.opendocument.graphics")
	TEST(">30\tstring\t[Content_Types].xml")
	RULE(">>49\tsearch/16384\tword/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document")
	RULE(">>49\tsearch/16384\txl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
	RULE(">>49\tsearch/16384\tppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation")
	RULE(">30\tdefault\tx", "application/zip")
	RULE("0\tstring\tPK\\5\\6", "application/zip")
	RULE("0\tstring\tPK\\7\\x08PK\\3\\4", "application/zip")
	RULE("0\tstring\t\\x1f\\x8b", "application/gzip")
	RULE("0\tstring\t\\x1f\\x9d", "application/x-compress")
	RULE("0\tstring\tBZh", "application/x-bzip2")
	RULE("0\tstring\t\\xfd7zXZ\\0", "application/x-xz")
	RULE("0\tulelong\t0xfd2fb528", "application/zstd")
	RULE("0\tulelong\t0x184d2204", "application/x-lz4")
	RULE("0\tstring\tLZIP", "application/x-lzip")
	RULE("0\tstring\t7z\\xbc\\xaf\\x27\\x1c", "application/x-7z-compressed")
	RULE("0\tstring\tRar!\\x1a\\7", "application/x-rar")
	RULE("0\tstring\tMSCF\\0\\0", "application/vnd.ms-cab-compressed")
	TEST("0\tstring\t\\!<arch>\\n")
	RULE(">8\tstring\tdebian", "application/vnd.debian.binary-package")
	RULE(">8\tdefault\tx", "application/x-archive")
	RULE("0\tbelong\t0xedabeedb", "application/x-rpm")
	RULE("32769\tstring\tCD001", "application/x-iso9660-image"),

	/* programs, databases, fonts */
	TEST("0\tstring\t\\x7fELF")
	TEST(">5\tbyte\t1")
	RULE(">>16\tuleshort\t1", "application/x-object")
	RULE(">>16\tuleshort\t2", "application/x-executable")
	RULE(">>16\tuleshort\t3", "application/x-sharedlib")
	RULE(">>16\tuleshort\t4", "application/x-coredump")
	TEST("0\tstring\tMZ")
	TEST(">0x18\tuleshort\t>0x3f")
	RULE(">>(0x3c.l)\tstring\tPE\\0\\0", "application/x-dosexec")
	RULE("0\tstring\tSQLite\\x20format\\x203", "application/vnd.sqlite3")
	RULE("0\tstring\tOTTO", "application/vnd.ms-opentype")
	RULE("0\tstring\twOFF", "font/woff")
	RULE("0\tstring\twOF2", "font/woff2")
	RULE("0\tstring\tttcf", "font/collection")
	TEST("0\tbelong\t0x00010000")
	TEST(">4\tubeshort\t<64")
	RULE(">>12\tsearch/1024\tglyf", "font/sfnt")
	RULE("0\tulelong\t0xa1b2c3d4", "application/vnd.tcpdump.pcap"),

	/* text */
	TEST("0\tstring/t\t\\<?xml")
	RULE(">5\tsearch/4096\t\\<svg", "image/svg+xml")
	RULE(">5\tdefault\tx", "text/xml")
	RULE("0\tstring/ct\t\\<svg", "image/svg+xml")
	RULE("0\tstring/ct\t\\<!doctype\\x20svg", "image/svg+xml")
	RULE("0\tstring/ct\tbegin:vcard", "text/vcard")
	RULE("0\tstring/ct\tbegin:vcalendar", "text/calendar")
	TEST("0\tstring/t\t#!")
	RULE(">2\tsearch/64\t/python", "text/x-script.python")
	RULE(">2\tsearch/64\t/perl", "text/x-perl")
	RULE(">2\tsearch/64\tsh\\n", "text/x-shellscript"),

	/* these searches have no flags, so that they are memmem(3) */
	TEST("0\tsearch/4096/t\t\\<")
	RULE(">0\tsearch/4096\t\\<!DOCTYPE\\x20html", "text/html")
	RULE(">0\tsearch/4096\t\\<!DOCTYPE\\x20HTML", "text/html")
	RULE(">0\tsearch/4096\t\\<!doctype\\x20html", "text/html")
	RULE(">0\tsearch/4096\t\\<html", "text/html")
	RULE(">0\tsearch/4096\t\\<HTML", "text/html")
	RULE(">0\tsearch/4096\t\\<head", "text/html")
	RULE(">0\tsearch/4096\t\\<HEAD", "text/html")
	RULE(">0\tsearch/4096\t\\<title", "text/html")
	RULE(">0\tsearch/4096\t\\<TITLE", "text/html")
	RULE(">0\tsearch/4096\t\\<body", "text/html")
	RULE(">0\tsearch/4096\t\\<BODY", "text/html")
	RULE(">0\tsearch/4096\t\\<script", "text/html")
	RULE(">0\tsearch/4096\t\\<SCRIPT", "text/html")
	RULE(">0\tsearch/4096\t\\<Script", "text/html")
	RULE(">0\tsearch/4096\t\\<style", "text/html")
	RULE(">0\tsearch/4096\t\\<STYLE", "text/html"),

	NULL,
};
/* clang-format on */
