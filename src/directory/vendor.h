/* vendor.h - how each vendor differs from the default profile (decision 19):
 * one const row a vendor, JSON overrides a system.
 */
#ifndef DIRECTORY_VENDOR_H
#define DIRECTORY_VENDOR_H

#include "base/arena.h"
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
        128,                     /* no patient in the token: GET /Patient */
    VENDOR_NO_FHIRUSER = 256,    /* knows "profile", refuses "fhirUser" */
    VENDOR_REFRESH_SCOPE = 512,  /* wants scope again at refresh */
    VENDOR_NONCE = 1024,         /* wants a nonce at authorize */
    VENDOR_AUD_NO_SLASH = 2048,  /* aud without '/' at its end */
    VENDOR_TOTAL_OF_PAGE = 4096, /* Bundle.total counts this page only */
};
struct vendor {
    struct str name;
    enum vendor_auth auth; /* when credentials do not say otherwise */
    unsigned flags;
    unsigned per_host_max; /* requests at once */
    unsigned page_size;    /* _count to ask for; 0: none */
    struct str accept;     /* Accept header */
    struct str extra_scopes;
    struct str title; /* for people: "Oracle Health (Cerner)"; "" : unknown */
    struct str ehr;   /* the contract's word: "Epic", "Cerner"; "" : unknown */
};
/* The row, also by another name in use ("oracle", "veradigm", "healow"); the
 * default one for an unknown name. */
const struct vendor *vendor_find(struct str name);
/* Every row, the default one first. */
const struct vendor *vendor_all(size_t *n);

/* base with a system's overrides (JSON; "" for none) applied, in *out:
 * {"auth":"basic","pkce":false,"aud":false,"scope":"wildcard"|"v1"|"v2",
 * "offline":false,"claims":true,"everything":true,"patient_from_search":true,
 * "per_host_max":2,"page_size":50,"accept":"...","extra_scopes":"..."}.
 * ERR_FORMAT when it is no JSON object. */
MUST_CHECK enum err vendor_with(const struct vendor *base, struct str overrides,
                                struct arena *a, struct vendor *out);

/* "public", "basic", "post", "jwt"; false for another word. */
bool vendor_auth_of(struct str word, enum vendor_auth *out);

/* The vendor that a list's name or a URL gives away, by its row's name;
 * "default" when nothing does. */
struct str vendor_guess(struct str list_name, struct str url);

#endif
