/* gateway-admin - the operator's tool for files, quotas and events: the table
 * of its commands. */
#include "cgi-gateway/admin/commands.h"

/* clang-format off */

#define JSON_HELP \
	"  --json      print JSON, for a program to read\n"
#define FILTER_HELP \
	"  --id N          the event with this id\n" \
	"  --receiver URL  events for this webhook target\n" \
	"  --dead          events that were given up\n"

static const struct command commands[] = {
	{ "gc", cmd_gc, "[options]",
	  "remove expired files and abandoned uploads",
	  "  --grace SECONDS  keep files without a row that are younger (3600)\n"
	  "  --dry-run        remove nothing, only count\n"
	  "  --verbose        name each item\n"
	  "  --json           print JSON, for a program to read\n"
	  "\nRemoves expired files; resumable uploads that got no bytes for UPLOAD_LIFE\n"
	  "seconds; stored bytes without a row; unfinished uploads that were abandoned;\n"
	  "links and events that have been dead for 30 days; and events as old for\n"
	  "targets that EVENT_URLS does not name. An upload in progress is kept, however\n"
	  "old. At the end names are indexed, as by index. May run while the service does,\n"
	  "and beside another gc.\n"
	  "\nAn item that cannot be checked or removed is named on standard error, and gc\n"
	  "continues with the next. A file with a foreign name is kept. --json prints one\n"
	  "object, whose member \"told\" names foreign and failed items.\n"
	  "\nThe status is 1 if an item failed.\n" },
	{ "verify", cmd_verify, "[options]",
	  "read every file and compare its checksum",
	  "  --rate BYTES  read at most this many bytes a second (50000000); 0: no limit\n"
	  "  --after ID    start after the file with this id\n"
	  "  --json        print JSON, for a program to read\n"
	  "\nReads every file that has a row, in the order of ids, and reports each that is\n"
	  "missing, unreadable, of another size or of another SHA-256. Other files stay in\n"
	  "the page cache. SIGTERM and SIGINT stop it; it prints the --after with which to\n"
	  "continue.\n"
	  "\nThe status is 1 if a file is damaged or missing, and 75 if verify was stopped\n"
	  "and has found nothing.\n" },
	{ "index", cmd_index, "[--json]",
	  "index the names of files from before an upgrade",
	  JSON_HELP
	  "\nUntil it has run, searches of the owners of such files are slow. gc does the\n"
	  "same. May run while the service does. If it is interrupted, run it again.\n" },
	{ "changed", cmd_changed, "",
	  "make the programs read the rows of files again",
	  "Run it after you have changed the table file by SQL, and CHANGES_DIR is set:\n"
	  "until then a request may be answered by what a program remembers. The commands\n"
	  "of gateway-admin do that by themselves.\n" },
	{ "stat", cmd_stat, "[--json]",
	  "count files, bytes and owners", JSON_HELP },
	{ "quota show", cmd_quota_show, "OWNER [--json]",
	  "show what an owner uses and may use",
	  JSON_HELP
	  "\nOWNER is the number of a user.\n" },
	{ "quota set", cmd_quota_set, "OWNER [options]",
	  "set what an owner may use",
	  "  --bytes N   bytes, or \"none\" for no limit, or \"default\" for QUOTA_BYTES\n"
	  "  --files N   files, or \"none\" for no limit, or \"default\" for QUOTA_FILES\n"
	  JSON_HELP
	  "\nOWNER is the number of a user. Files that are stored already stay, also above\n"
	  "the limit.\n" },
	{ "quota recount", cmd_quota_recount, "[--json]",
	  "count all files and correct the usage",
	  JSON_HELP
	  "\nPrints the owners whose usage was wrong. May run while the service does.\n" },
	{ "deliver", cmd_deliver, "[--follow] [--json]",
	  "post events to the webhook targets in EVENT_URLS",
	  "  --follow    stay, and look for new events every second; SIGTERM ends it when\n"
	  "              the requests in progress are answered\n"
	  JSON_HELP
	  "\nPosts an event for each file that was uploaded, deleted or has expired, as JSON\n"
	  "signed with EVENT_SECRET (docs/webhooks.md). Each event that is due is tried\n"
	  "once. A failed event is due again after 10 seconds, 20, 40 and so on up to an\n"
	  "hour, and is given up if it still fails EVENT_DAYS after its first try. Each\n"
	  "event is delivered at least once, and in order for each file. Any number of\n"
	  "these may run at the same time.\n"
	  "\nWithout --follow, the status is 1 if there are events that were given up; see\n"
	  "gateway-admin events. It is 78 if EVENT_URLS or EVENT_SECRET is not set.\n" },
	{ "events list", cmd_events_list, "[options]",
	  "show the events that are not delivered yet",
	  FILTER_HELP
	  "  --limit N       at most this many, the oldest first (100)\n"
	  "  --json          print JSON, for a program to read\n"
	  "\nShows how many events wait for each target, and those that match all options.\n" },
	{ "events retry", cmd_events_retry, "--id N | --receiver URL | --dead | --all",
	  "make events due at once, dead ones too",
	  FILTER_HELP
	  "  --all           every event\n"
	  "  --json          print JSON, for a program to read\n"
	  "\nThe events that match all options are tried by the next deliver, as if for the\n"
	  "first time.\n" },
	{ "events forget", cmd_events_forget, "--id N | --receiver URL | --dead | --all",
	  "remove events without delivering them",
	  FILTER_HELP
	  "  --all           every event\n"
	  "  --json          print JSON, for a program to read\n"
	  "\nRemoves the events that match all options.\n" },
};

static const struct command_table table = {
	.program = "gateway-admin",
	.summary = "manage the files, quotas and events of Gatehouse",
	.settings =
	  "Settings are those of cgi-gateway (cgi-gateway --help), from the environment or\n"
	  "from the file that GATEHOUSE_CONF names. DATA_DIR must be set; only gc and\n"
	  "verify read it.\n",
	.commands = commands,
	.count = sizeof(commands) / sizeof(*commands),
};

/* clang-format on */

int main(int argc, char **argv)
{
	return command_table_main(&table, argc, argv);
}
