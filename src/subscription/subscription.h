/* subscription.h - rest-hook Subscriptions: what matches the criteria when it
 * is written is told to the endpoint, in order, until it is heard.  FHIR R4
 * Subscription (STU3 and DSTU2 likewise), contract 7.10.
 *
 *   commit  leaves a row and a job in its own transaction (store_watch);
 *   notify  finds what the commit wrote that matches, as it was then;
 *   deliver sends, one after the other, through the outbound gate.
 */
#ifndef SUBSCRIPTION_SUBSCRIPTION_H
#define SUBSCRIPTION_SUBSCRIPTION_H

#include "fhir/resource.h"
#include "http/client.h"
#include "jobs/jobs.h"
#include "store/store.h"

struct subscriptions;
struct subscriptions_options {
    struct db *db;
    struct store *store;
    struct http_client *client;
    const struct http_gate *gate;
};
/* Watches the store from here on. */
MUST_CHECK enum err subscriptions_new(const struct subscriptions_options *o,
                                      struct subscriptions **out);
void subscriptions_free(struct subscriptions *s); /* NULL is fine */
size_t subscriptions_kinds(struct subscriptions *s, struct job_kind *out,
                           size_t room);

/* Whether a Subscription that somebody writes can be served.
 * ERR_UNPROCESSABLE with why: another channel than rest-hook, an endpoint that
 * the gate refuses, criteria that are no search, a payload that is not JSON, a
 * header that cannot be sent. */
MUST_CHECK enum err subscription_check(const struct subscriptions *s,
                                       const struct resource *r,
                                       struct arena *a, struct why *w);

/* In the caller's transaction. */
MUST_CHECK enum err subscription_erase(struct db_session *s, int64_t user_id);

#endif
