/* commands.h - the commands of gateway-admin, one or a few per file. They print
 * their result on standard output, and return an exit status
 * (common/admin/exit_status.h). */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "common/admin/command_table.h"

command_fn cmd_gc;
command_fn cmd_changed;
command_fn cmd_verify;
command_fn cmd_index;
command_fn cmd_stat;
command_fn cmd_quota_show;
command_fn cmd_quota_set;
command_fn cmd_quota_recount;
command_fn cmd_deliver;
command_fn cmd_events_list;
command_fn cmd_events_retry;
command_fn cmd_events_forget;

#endif
