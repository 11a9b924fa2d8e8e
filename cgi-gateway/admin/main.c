/* gateway-admin - look after the files that cgi-gateway keeps. */
#include "cgi-gateway/admin/commands.h"

#include "cgi-gateway/app/gateway_settings.h"
#include "cgi-gateway/store/disk/store_disk.h"

#include <sodium.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

static const struct command {
	const char *name;
	command_fn *run;
	bool with_store; /* the others may run where DATA_DIR is not */
	const char *summary, *usage;
} commands[] = {
	{ "gc", cmd_gc, true,
	  "remove what has expired and what was left behind",
	  "gateway-admin gc [--grace SECONDS] [--dry-run] [--verbose] "
	  "[--json]\n\n"
	  "Removes expired files, resumable uploads that got no bytes for "
	  "UPLOAD_LIFE seconds,\nfinished bytes without a row, and uploads "
	  "that were begun and left. What expired\ngoes at once; what has no "
	  "row goes when it is older than the grace time (3600).\nWhatever an "
	  "upload is at work on is spared, however old. Links and events that\n"
	  "have been dead for 30 days go too, and events as old for receivers "
	  "that EVENT_URLS\ndoes not name any more. May run while the service "
	  "does, and beside another gc.\n\n"
	  "What cannot be looked at or removed is named on stderr, and the "
	  "rest goes on. Names\nthat are not ours are left alone. --verbose "
	  "tells of each thing; --json tells it all\nas one object, with "
	  "\"told\" for what is not ours or failed.\n\n"
	  "Exit status: 0; 1 when something failed; 69 when the database or "
	  "the disk is away.\n" },
	{ "verify", cmd_verify, true,
	  "read every file again and compare digests",
	  "gateway-admin verify [--rate BYTES_PER_SECOND] [--after ID] "
	  "[--json]\n\n"
	  "Reads every file that has a row, in the order of their ids, and "
	  "reports each that is\nmissing, cannot be read, has another size, or "
	  "whose SHA-256 has changed. The rate is\n50000000 unless told; 0 "
	  "means as fast as the disk is. What it reads does not push\nother "
	  "files out of memory. SIGTERM and SIGINT end it; it tells the id "
	  "behind which\n--after goes on.\n\n"
	  "Exit status: 0 when all is well, 1 when something is not, 75 when "
	  "it was stopped\nand found nothing until then; 69 when the database "
	  "is away.\n" },
	{ "stat", cmd_stat, false, "count files, bytes and owners",
	  "gateway-admin stat [--json]\n\n"
	  "Exit status: 0; 69 when the database is away.\n" },
	{ "quota", cmd_quota, false, "show and set what an owner may keep",
	  "gateway-admin quota show OWNER [--json]\n"
	  "gateway-admin quota set OWNER [--bytes N|none|default] "
	  "[--files N|none|default] [--json]\n"
	  "gateway-admin quota recount [--json]\n\n"
	  "OWNER is the number of a user. none: no limit; default: that of "
	  "QUOTA_BYTES or\nQUOTA_FILES. What is there already stays, however "
	  "much it is.\n\nrecount counts the files of every owner again, and "
	  "tells whose count was wrong;\nit may run while the service is "
	  "up.\n\n"
	  "Exit status: 0; 69 when the database is away.\n" },
	{ "deliver", cmd_deliver, false,
	  "tell other services what happened to files",
	  "gateway-admin deliver [--follow] [--json]\n\n"
	  "Posts what was uploaded, deleted or has expired to each address of "
	  "EVENT_URLS, as\nJSON signed with EVENT_SECRET "
	  "(docs/webhooks.md). Each event that is due is tried\nonce; what "
	  "fails is due again after 10 seconds, 20, 40 ... an hour, and given "
	  "up "
	  "when\nit still fails EVENT_DAYS after its first try. At least once, "
	  "and in order for each\nfile. Any number of these may run at the "
	  "same time.\n\n"
	  "  --follow  stay, and look every second; SIGTERM ends it when what "
	  "is under way\n            has been answered\n\n"
	  "Exit status: 0; 1, without --follow, when there are events that "
	  "were given up (see\ngateway-admin events); 69 when the database "
	  "is away; 78 when EVENT_URLS or\nEVENT_SECRET is not set.\n" },
	{ "events", cmd_events, false,
	  "show what other services are still to be told",
	  "gateway-admin events list [WHICH] [--limit N] [--json]\n"
	  "gateway-admin events retry WHICH [--json]\n"
	  "gateway-admin events forget WHICH [--json]\n\n"
	  "list shows how many events wait for each receiver, and the oldest "
	  "of "
	  "them (100\nunless told). retry lets deliver try them anew and at "
	  "once, dead ones too. forget\nremoves them: nobody will be told.\n\n"
	  "WHICH is those that fit all of:\n"
	  "  --id N          this one\n"
	  "  --receiver URL  for this receiver\n"
	  "  --dead          given up\n"
	  "or --all.\n\n"
	  "Exit status: 0; 69 when the database is away.\n" },
};

enum { COMMANDS = sizeof(commands) / sizeof(*commands) };

int admin_fail(const char *command, enum err e, const struct errmsg *why)
{
	(void)fprintf(stderr, "gateway-admin %s: %s%s%s\n", command,
		      err_text(e), why->text[0] != '\0' ? ": " : "", why->text);
	return e == ERR_CONFIG ? EX_CONFIG : EX_UNAVAILABLE;
}

int admin_options(int argc, char **argv, const struct option_place *places,
		  size_t count)
{
	struct errmsg why;

	if (options_read(argc, argv, places, count, NULL, NULL, &why) == ERR_OK)
		return 0;
	(void)fprintf(stderr, "gateway-admin %s; see gateway-admin %s --help\n",
		      why.text, argv[0]);
	return EX_USAGE;
}

static void help(FILE *to)
{
	(void)fprintf(to, "gateway-admin - look after the files of "
			  "cgi-gateway\n\n");
	for (size_t i = 0; i < COMMANDS; i++)
		(void)fprintf(to, "  gateway-admin %-8s %s\n", commands[i].name,
			      commands[i].summary);
	(void)fprintf(to, "\ngateway-admin COMMAND --help tells more. It reads "
			  "the settings of cgi-gateway\n(GATEHOUSE_CONF, "
			  "DATA_DIR, MYSQL_...).\n");
}

static enum err open_app(struct admin *a, bool with_store, struct settings *s,
			 struct errmsg *why)
{
	struct db_config db;
	enum err e =
		config_load(gateway_settings, GATEWAY_SETTINGS, &a->app, why);

	if (e != ERR_OK)
		return e;
	e = gateway_settings_check(&a->app, why);
	if (e == ERR_OK)
		e = settings_load_tool(&gateway_defaults, s, why);
	if (e != ERR_OK)
		goto own;
	db = settings_db(s);
	e = db_open(&db, &a->app.db, why);
	if (e != ERR_OK)
		goto common;
	if (with_store)
		e = store_disk_open(a->app.data_dir, &a->app.store, why);
	if (e == ERR_OK)
		return e;
	db_close(a->app.db);
common:
	settings_release(s);
own:
	config_release(gateway_settings, GATEWAY_SETTINGS, &a->app);
	return e;
}

static int run(const struct command *c, int argc, char **argv)
{
	struct admin a = { .now = (int64_t)time(NULL) };
	struct settings s = { 0 };
	struct errmsg why = { "" };
	enum err e = open_app(&a, c->with_store, &s, &why);
	int status;

	if (e != ERR_OK) {
		(void)fprintf(stderr, "gateway-admin: %s\n", why.text);
		return EX_CONFIG;
	}
	status = c->run(&a, argc, argv);
	store_close(a.app.store);
	db_close(a.app.db);
	settings_release(&s);
	config_release(gateway_settings, GATEWAY_SETTINGS, &a.app);
	return status;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "--help";

	if (sodium_init() < 0)
		return EX_OSERR;
	if (strcmp(name, "--version") == 0) {
		(void)printf("gateway-admin %s\n", GATEHOUSE_VERSION);
		return 0;
	}
	if (strcmp(name, "--help") == 0 || strcmp(name, "help") == 0) {
		help(argc > 1 ? stdout : stderr);
		return argc > 1 ? 0 : EX_USAGE;
	}
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(name, commands[i].name) != 0)
			continue;
		if (argc > 2 && strcmp(argv[2], "--help") == 0) {
			(void)fputs(commands[i].usage, stdout);
			return 0;
		}
		return run(&commands[i], argc - 1, argv + 1);
	}
	(void)fprintf(stderr,
		      "gateway-admin: no command \"%s\"; see "
		      "gateway-admin --help\n",
		      name);
	return EX_USAGE;
}
