/* code_set.h - value sets whose codes FHIR's own definitions list: those with
 * a required binding. */
#ifndef FHIR_CODE_SET_H
#define FHIR_CODE_SET_H

#include <stddef.h>

#include "fhir/release.h"

struct code_set_code {
    struct str system, code;
};
struct code_set {
    struct str url; /* without a version */
    const struct code_set_code *codes;
    size_t n;
};
/* NULL when the release's tables have none of that URL ("url|version" is
 * looked for without its version). */
const struct code_set *code_set_find(enum release release, struct str url);

#endif
