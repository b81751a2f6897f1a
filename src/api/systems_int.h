/* systems_int.h - systems as the contract writes them; of api/systems*.c. */
#ifndef API_SYSTEMS_INT_H
#define API_SYSTEMS_INT_H

#include "base/buf.h"
#include "directory/system.h"

/* Section 9.1, C: one flat object. */
void system_add_flat(struct buf *b, const struct system *s);
/* Section 8.1 and 9.1, A: with api_version, locations and resource_url. */
void system_add_full(struct buf *b, const struct system *s);
/* Section 8.5: an Organization; and 9.1, B: the little of one in old pages. */
void system_add_organization(struct buf *b, const struct system *s);
void system_add_old_page(struct buf *b, const struct system *s);

#endif
