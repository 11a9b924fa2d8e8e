/* magic_rules.h - the rules by which libmagic finds the type of a file. */
#ifndef MAGIC_RULES_H
#define MAGIC_RULES_H

/* The text of a file of magic(5), in pieces; NULL ends the list. */
extern const char *const magic_rules[];

#endif
