/* prompt.h - questions to the person at the terminal. */
#ifndef PROMPT_H
#define PROMPT_H

#include "cgi-auth/password/basic_credentials.h"

#include <stdbool.h>
#include <stddef.h>

/* Read a new password: the first line of standard input, or else from the
 * terminal, which asks twice and does not show it. The rules of user_rules.h
 * apply. Wipe it after use. Returns 0, or an exit status after printing what is
 * wrong. */
int prompt_password(bool from_stdin, const char *email,
		    char out[static BASIC_PASSWORD_MAX + 1]);

/* Ask the person at standard input. Returns true for "y" or "yes". If standard
 * input is not a terminal, nothing is asked, and *asked is false. */
bool prompt_yes(const char *question, bool *asked);

#endif
