/* refused_owners.h - whose last upload found no room, for as many owners as fit.
 *
 * A hint and no decision: it says whether to ask for the room before the bytes
 * of a small upload are written, which is wasted work if there is room.
 */
#ifndef REFUSED_OWNERS_H
#define REFUSED_OWNERS_H

#include "common/base/err.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { REFUSED_OWNERS_MAX = 256 };

/* Of owners with the same remainder, the last one; zeros at first. Used by many
 * threads. */
struct refused_owners {
	_Atomic uint64_t at[REFUSED_OWNERS_MAX];
};

/* Note how an upload of this owner ended. */
void refused_owners_note(struct refused_owners *r, uint64_t owner, enum err e);

bool refused_owners_has(struct refused_owners *r, uint64_t owner);

#endif
