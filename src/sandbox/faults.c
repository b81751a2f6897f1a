#include "sandbox/faults.h"

static const struct {
    struct str name, says;
} table[FAULT_COUNT_] = {
#define F(fault_, name_, says_) [fault_] = { STR_INIT(name_), STR_INIT(says_) }
    F(FAULT_429, "429", "every 5th request: 429, Retry-After: 1"),
    F(FAULT_429_DATE, "429-date",
      "every 5th request: 429, Retry-After as a date"),
    F(FAULT_429_BARE, "429-bare", "every 5th request: 429, no header"),
    F(FAULT_500_ONCE, "500-once", "every 4th request: 500 with HTML"),
    F(FAULT_503, "503", "every 6th request: 503, Retry-After: 1"),
    F(FAULT_SLOW, "slow", "every request takes 700 ms longer"),
    F(FAULT_TRUNCATED, "truncated", "every 4th answer: half of its JSON"),
    F(FAULT_CUT, "cut", "every 4th answer: connection lost in the middle"),
    F(FAULT_WRONG_TYPE, "wrong-type", "good JSON as text/html"),
    F(FAULT_HTML, "html", "every 4th request: a web page, 200"),
    F(FAULT_EMPTY_BODY, "empty-body", "every 4th request: 200, no body"),
    F(FAULT_BOM, "bom", "a byte order mark before the JSON"),
    F(FAULT_REDIRECT, "redirect", "every 4th request: 307 to itself"),
    F(FAULT_REDIRECT_AWAY, "redirect-away",
      "every 4th request: 307 to another origin that notes bearers"),
    F(FAULT_DUPLICATES, "duplicates",
      "each page repeats the last entries of the one before"),
    F(FAULT_NEXT_LOOP, "next-loop", "the last page's next is the first page"),
    F(FAULT_NEXT_MISSING, "next-missing",
      "no next after page 2, total says there is more"),
    F(FAULT_NEXT_RELATIVE, "next-relative", "next is a relative URL"),
    F(FAULT_NEXT_HOST, "next-host", "next is on another host name (localhost)"),
    F(FAULT_EMPTY_PAGE, "empty-page", "an empty page with a next, in between"),
    F(FAULT_CURSOR_EXPIRED, "cursor-expired",
      "page 3 of a search is refused once: cursor expired"),
    F(FAULT_COUNT_IGNORED, "count-ignored", "pages of 7, whatever _count says"),
    F(FAULT_SINCE_IGNORED, "since-ignored",
      "_lastUpdated is passed over, whatever metadata says"),
    F(FAULT_SINCE_REFUSED, "since-refused",
      "searches by _lastUpdated: 400, whatever metadata says"),
    F(FAULT_TOTAL_HIGH, "total-high", "total is 9 too high"),
    F(FAULT_NOT_A_BUNDLE, "not-a-bundle",
      "Procedure searches: 200 with an OperationOutcome"),
    F(FAULT_NO_FULL_URL, "no-full-url", "entries without fullUrl"),
    F(FAULT_OTHER_PATIENT, "other-patient",
      "Condition searches: one of somebody else among them"),
    F(FAULT_OUTCOME_ENTRY, "outcome-entry",
      "every set holds an OperationOutcome entry"),
    F(FAULT_FOREIGN_REFS, "foreign-refs",
      "a DocumentReference that points to other hosts and private addresses"),
    F(FAULT_ODD_IDS, "odd-ids",
      "Conditions: an id of 88 characters, with bad characters, without id"),
    F(FAULT_ODD_VALUES, "odd-values",
      "Observations: broken dates and numbers, unknown members, unknown type"),
    F(FAULT_DEEP, "deep", "an Observation nested 600 levels deep"),
    F(FAULT_BIG, "big", "a DocumentReference with 6 MB inline"),
    F(FAULT_TYPES_REFUSED, "types-refused",
      "Condition 403 empty, Procedure 404 HTML, Goal 500, CarePlan 401 HTML"),
    F(FAULT_PATIENT_REFUSED, "patient-refused",
      "Patient 403, everything else works"),
    F(FAULT_REFS_FAIL, "refs-fail",
      "Practitioner 404, Organization 403, Location 500, Medication 410"),
    F(FAULT_BINARY_RAW, "binary-raw", "Binary as its bytes, never JSON"),
    F(FAULT_BINARY_MISSING, "binary-missing", "every Binary is 404"),
    F(FAULT_BINARY_406, "binary-406",
      "Binary: 406 unless Accept is its own type or */*"),
    F(FAULT_EXPIRE, "expire", "a token is 401 after 25 requests"),
    F(FAULT_SHORT_TOKEN, "short-token", "tokens live for 3 seconds"),
    F(FAULT_REVOKED, "revoked",
      "after 25 requests access is gone: 401, refresh invalid_grant"),
    F(FAULT_NO_REFRESH, "no-refresh", "no refresh token"),
    F(FAULT_REFRESH_REFUSED, "refresh-refused", "refresh: invalid_grant"),
    F(FAULT_REFRESH_500, "refresh-500", "every first of two refreshes: 500"),
    F(FAULT_TOKEN_HTML, "token-html", "the token endpoint answers HTML, 502"),
    F(FAULT_NO_PATIENT, "no-patient", "the token names no patient at all"),
    F(FAULT_EXPIRES_TEXT, "expires-text", "expires_in is a text"),
    F(FAULT_LESS_SCOPE, "less-scope", "grants Patient and Observation only"),
    F(FAULT_SMART_404, "smart-404", "smart-configuration 404 (system only)"),
    F(FAULT_SMART_HTML, "smart-html",
      "smart-configuration: a web page, 200 (system only)"),
    F(FAULT_METADATA_500, "metadata-500", "metadata 500 (system only)"),
};

struct str fault_name(enum fault fault)
{
    return table[fault].name;
}

struct str fault_says(enum fault fault)
{
    return table[fault].says;
}

enum err faults_parse(struct str list, char between, uint64_t *out,
                      struct why *w)
{
    uint64_t set = 0;
    struct str name;
    while (list.n > 0 && str_cut(&list, between, &name)) {
        unsigned i = 0;
        while (i < FAULT_COUNT_ && !str_eq(table[i].name, name))
            i++;
        if (i == FAULT_COUNT_)
            return why_of(w, ERR_NOT_FOUND, STR("no such fault: "), name);
        set |= FAULT_BIT(i);
    }
    *out = set;
    return OK;
}

void faults_print(struct buf *b)
{
    for (unsigned i = 0; i < FAULT_COUNT_; i++) {
        buf_add(b, STR("  "));
        buf_add(b, table[i].name);
        for (size_t n = table[i].name.n; n < 18; n++)
            buf_add_char(b, ' ');
        buf_add(b, table[i].says);
        buf_add_char(b, '\n');
    }
}
