/* banned.h - error-prone calls of the C library.
 *
 * The Makefile includes it before every source file; a use is a compile error
 * that has the call's name. The idea is git's.
 */
#ifndef BANNED_H
#define BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BANNED(call) this_project_does_not_use_##call

#undef strcpy
#undef strcat
#undef strncpy
#undef strncat
#undef strtok
#define strcpy(to, from) BANNED(strcpy)
#define strcat(to, from) BANNED(strcat)
#define strncpy(to, from, n) BANNED(strncpy)
#define strncat(to, from, n) BANNED(strncat)
#define strtok(s, delimiters) BANNED(strtok)

#undef sprintf
#undef vsprintf
#undef gets
#define sprintf(...) BANNED(sprintf)
#define vsprintf(...) BANNED(vsprintf)
#define gets(s) BANNED(gets)

/* They parse what is not a number as 0 */
#undef atoi
#undef atol
#undef atoll
#define atoi(s) BANNED(atoi)
#define atol(s) BANNED(atol)
#define atoll(s) BANNED(atoll)

/* They answer in one buffer for all threads */
#undef gmtime
#undef localtime
#undef ctime
#undef asctime
#define gmtime(t) BANNED(gmtime)
#define localtime(t) BANNED(localtime)
#define ctime(t) BANNED(ctime)
#define asctime(t) BANNED(asctime)

#undef system
#undef popen
#undef rand
#define system(command) BANNED(system)
#define popen(command, mode) BANNED(popen)
#define rand() BANNED(rand)

#endif
