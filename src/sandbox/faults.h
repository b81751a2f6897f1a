/* faults.h - what real systems do wrong, switchable: for a system (--faults
 * epic:slow, POST /faults) or for one person's connection (sign in as
 * "wilmasmart+slow+duplicates").  Deterministic: by the count of requests.
 */
#ifndef SANDBOX_FAULTS_H
#define SANDBOX_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum fault {
    FAULT_429,
    FAULT_429_DATE,
    FAULT_429_BARE,
    FAULT_500_ONCE,
    FAULT_503,
    FAULT_SLOW,
    FAULT_TRUNCATED,
    FAULT_CUT,
    FAULT_WRONG_TYPE,
    FAULT_HTML,
    FAULT_EMPTY_BODY,
    FAULT_BOM,
    FAULT_REDIRECT,
    FAULT_REDIRECT_AWAY,
    FAULT_DUPLICATES,
    FAULT_NEXT_LOOP,
    FAULT_NEXT_MISSING,
    FAULT_NEXT_RELATIVE,
    FAULT_NEXT_HOST,
    FAULT_EMPTY_PAGE,
    FAULT_CURSOR_EXPIRED,
    FAULT_COUNT_IGNORED,
    FAULT_SINCE_IGNORED,
    FAULT_SINCE_REFUSED,
    FAULT_TOTAL_HIGH,
    FAULT_NOT_A_BUNDLE,
    FAULT_NO_FULL_URL,
    FAULT_OTHER_PATIENT,
    FAULT_OUTCOME_ENTRY,
    FAULT_FOREIGN_REFS,
    FAULT_ODD_IDS,
    FAULT_ODD_VALUES,
    FAULT_DEEP,
    FAULT_BIG,
    FAULT_TYPES_REFUSED,
    FAULT_PATIENT_REFUSED,
    FAULT_REFS_FAIL,
    FAULT_BINARY_RAW,
    FAULT_BINARY_MISSING,
    FAULT_BINARY_406,
    FAULT_EXPIRE,
    FAULT_SHORT_TOKEN,
    FAULT_REVOKED,
    FAULT_NO_REFRESH,
    FAULT_REFRESH_REFUSED,
    FAULT_REFRESH_500,
    FAULT_TOKEN_HTML,
    FAULT_NO_PATIENT,
    FAULT_EXPIRES_TEXT,
    FAULT_LESS_SCOPE,
    FAULT_SMART_404,
    FAULT_SMART_HTML,
    FAULT_METADATA_500,
    FAULT_COUNT_ /* at most 64 */
};

_Static_assert(FAULT_COUNT_ <= 64, "a set is 64 bits");
#define FAULT_BIT(fault_) (UINT64_C(1) << (fault_))
static inline bool fault_in(uint64_t set, enum fault fault)
{
    return (set & FAULT_BIT(fault)) != 0;
}

/* "slow", ...; and what it does, in a few words. */
struct str fault_name(enum fault fault);
struct str fault_says(enum fault fault);

/* "slow,duplicates" or with '+' between, into a set.  ERR_NOT_FOUND names the
 * one that does not exist. */
MUST_CHECK enum err faults_parse(struct str list, char between, uint64_t *out,
                                 struct why *w);

/* The list, two columns, for --help and docs. */
void faults_print(struct buf *b);

#endif
