/* vendor.h - how each vendor differs from the default profile (decision 19):
 * one const row a vendor, JSON overrides a system.
 */
#ifndef DIRECTORY_VENDOR_H
#define DIRECTORY_VENDOR_H

#include "base/err.h"
#include "base/str.h"

enum vendor_auth {
    VENDOR_AUTH_PUBLIC,
    VENDOR_AUTH_BASIC,
    VENDOR_AUTH_POST,
    VENDOR_AUTH_JWT,
};
enum {
    VENDOR_NO_PKCE = 1,
    VENDOR_NO_AUD = 2,
    VENDOR_WILDCARD_SCOPE = 4, /* "patient/(star).read" instead of a list */
    VENDOR_SCOPE_V2 = 8,       /* patient/X.rs */
    VENDOR_NO_OFFLINE = 16,    /* refuses offline_access */
    VENDOR_CLAIMS = 32,        /* a plan: claims types, no clinical ones */
    VENDOR_EVERYTHING = 64,    /* Patient/$everything works */
    VENDOR_PATIENT_FROM_SEARCH =
        128, /* no patient in the token: GET /Patient */
};
struct vendor {
    struct str name;
    enum vendor_auth auth; /* when credentials do not say otherwise */
    unsigned flags;
    unsigned per_host_max; /* requests at once */
    unsigned page_size;    /* _count to ask for; 0: none */
    struct str accept;     /* Accept header */
    struct str extra_scopes;
};
/* The row; the default one for an unknown name. */
const struct vendor *vendor_find(struct str name);

#endif
