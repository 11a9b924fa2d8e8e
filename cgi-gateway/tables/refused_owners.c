#include "cgi-gateway/tables/refused_owners.h"

void refused_owners_note(struct refused_owners *r, uint64_t owner, enum err e)
{
	_Atomic uint64_t *at = &r->at[owner % REFUSED_OWNERS_MAX];

	if (e == ERR_QUOTA || e == ERR_QUOTA_FILES)
		atomic_store(at, owner);
	else if (e == ERR_OK && atomic_load(at) == owner)
		atomic_store(at, 0);
}

bool refused_owners_has(struct refused_owners *r, uint64_t owner)
{
	return atomic_load(&r->at[owner % REFUSED_OWNERS_MAX]) == owner;
}
