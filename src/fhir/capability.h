/* capability.h - CapabilityStatement (R4, STU3) and Conformance (DSTU2), from
 * the tables that route and search. */
#ifndef FHIR_CAPABILITY_H
#define FHIR_CAPABILITY_H

#include "base/buf.h"
#include "fhir/release.h"

struct capability_facts {
    struct str base_url;      /* "https://x/r4" */
    struct str authorize_url; /* "" : no security extension */
    struct str token_url;
    struct str software_version;
    int64_t date_ms; /* when this software was built */
};
void capability_render(struct buf *b, enum release release,
                       const struct capability_facts *facts);

#endif
