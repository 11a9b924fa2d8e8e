/* commands.h - the commands of auth-admin, one or a few per file. They print
 * their result on standard output, and return an exit status
 * (common/admin/exit_status.h). */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "common/admin/command_table.h"

command_fn cmd_user_add;
command_fn cmd_user_passwd;
command_fn cmd_user_set;
command_fn cmd_user_disable;
command_fn cmd_user_enable;
command_fn cmd_user_delete;
command_fn cmd_user_totp_enrol;
command_fn cmd_user_totp_confirm;
command_fn cmd_user_totp_reset;
command_fn cmd_user_list;
command_fn cmd_user_show;
command_fn cmd_user_import_plaintext;
command_fn cmd_session_list;
command_fn cmd_session_end;
command_fn cmd_audit;
command_fn cmd_gc;
command_fn cmd_changed;
command_fn cmd_key_new;
command_fn cmd_key_rotate;
command_fn cmd_key_list;

#endif
