/* plan.h - what to ask a health system for, as tables: for each type the
 * attempts in their order, each one query or several that make a whole.
 * US Core's small print (R4), Argonaut (DSTU2), claims (STU3 and R4 plans).
 */
#ifndef INGEST_PLAN_H
#define INGEST_PLAN_H

#include "base/arena.h"
#include "directory/vendor.h"
#include "fhir/release.h"

struct yyjson_val;

#define PLAN_ATTEMPTS_MAX 8

struct plan_type {
    struct str type;
    /* Queries with {p} for the patient's id; several in one attempt stand on
     * lines of their own and are all asked. */
    struct str attempts[PLAN_ATTEMPTS_MAX];
    size_t attempt_count;
    bool has_since; /* the server says it searches it by _lastUpdated */
};
struct plan {
    struct plan_type *types;
    size_t count;
    bool has_everything; /* Patient/$everything is advertised */
};

/* capability: the server's parsed CapabilityStatement or Conformance, NULL when
 * it gave none: its types that search by patient are joined to the table's.
 * scope: as granted, "" unknown: types outside it are left out. */
MUST_CHECK enum err plan_make(struct arena *a, enum release release,
                              const struct vendor *vendor,
                              struct yyjson_val *capability, struct str scope,
                              struct plan *out);

/* Whether SMART scopes (v1, v2, wildcards) let a patient's app read type. */
bool plan_scope_covers(struct str scope, struct str type);

#endif
