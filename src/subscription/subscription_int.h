/* subscription_int.h - the inside of the room. */
#ifndef SUBSCRIPTION_SUBSCRIPTION_INT_H
#define SUBSCRIPTION_SUBSCRIPTION_INT_H

#include "fhir/query.h"
#include "record/segment.h"
#include "subscription/subscription.h"

#define HOOK_HEADERS_MAX 8
#define HOOK_ARENA       ((size_t)512 << 20)
#define HOOK_BODY_MAX    (RESOURCE_BYTES_MAX * 3)

struct subscriptions {
    struct subscriptions_options o;
};

enum hook_status { HOOK_REQUESTED, HOOK_ACTIVE, HOOK_OFF };

/* A Subscription resource as read. */
struct hook {
    struct str id;
    enum hook_status status; /* error counts as off */
    struct query query;      /* the criteria */
    struct str endpoint;
    struct str payload; /* media type; "" none */
    struct http_header headers[HOOK_HEADERS_MAX];
    size_t header_count;
    int64_t end_ms; /* 0: none */
};
/* ERR_UNPROCESSABLE with why. */
MUST_CHECK enum err hook_parse(enum release release, struct str text,
                               struct arena *a, struct hook *out,
                               struct why *w);

/* Keys and payloads of jobs: whose record, which Subscription ("" : all). */
struct hook_name {
    int64_t user_id;
    enum record_kind kind;
    struct str id;
};
MUST_CHECK enum err hook_add_job(struct db_session *s, struct str job,
                                 const struct hook_name *name, bool *added);
MUST_CHECK enum err hook_job_name(const struct job *job, struct arena *a,
                                  struct hook_name *out);

struct notice {
    int64_t place;
    struct str event; /* "create", "update", "delete" */
    struct str name;  /* Type/id */
};
/* What a change row says; ERR_NOT_FOUND: none is left. */
MUST_CHECK enum err rows_next_change(struct db *db,
                                     const struct hook_name *name,
                                     struct store_note *out);
MUST_CHECK enum err rows_next_notice(struct db *db,
                                     const struct hook_name *name,
                                     struct arena *a, struct notice *out);
/* On the writer. */
MUST_CHECK enum err rows_add_change(struct db_session *s,
                                    const struct store_note *note);
MUST_CHECK enum err rows_end_change(struct db_session *s,
                                    const struct store_note *note);
MUST_CHECK enum err rows_add_notice(struct db_session *s,
                                    const struct hook_name *name,
                                    const struct notice *n);
MUST_CHECK enum err rows_end_notice(struct db_session *s,
                                    const struct hook_name *name,
                                    int64_t place);
MUST_CHECK enum err rows_drop_notices(struct db_session *s,
                                      const struct hook_name *name);
/* Whether something is left to do; then a job must not end. */
MUST_CHECK enum err rows_has_change(struct db_session *s,
                                    const struct hook_name *name, bool *out);
MUST_CHECK enum err rows_has_notice(struct db_session *s,
                                    const struct hook_name *name, bool *out);

job_work match_work, deliver_work;
void deliver_gave_up(void *context, const struct job *job, const char *text);

#endif
