/* systems.h - the pretend health systems and plans: one const row each, with
 * the small print of the vendor that it is like.
 */
#ifndef SANDBOX_SYSTEMS_H
#define SANDBOX_SYSTEMS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "fhir/release.h"
#include "oauth/grant.h"

enum {
    /* discovery */
    SYSTEM_NO_SMART = 1 << 0,      /* smart-configuration is 404 */
    SYSTEM_NO_OAUTH_URIS = 1 << 1, /* metadata says nothing of security */
    /* authorize */
    SYSTEM_PKCE = 1 << 2,         /* S256 demanded */
    SYSTEM_AUD = 1 << 3,          /* aud demanded, the FHIR base */
    SYSTEM_NONCE = 1 << 4,        /* nonce demanded */
    SYSTEM_NO_WILDCARD = 1 << 5,  /* a wildcard scope is invalid_scope */
    SYSTEM_PLAIN_SCOPES = 1 << 6, /* fhirUser, offline_access: invalid_scope */
    SYSTEM_GRANTS_ALL = 1 << 7,   /* scopes come with the app's registration */
    SYSTEM_SCOPES_V2 = 1 << 8,    /* grants patient/X.rs */
    /* token */
    SYSTEM_FHIRUSER = 1 << 9,       /* the patient only in id_token */
    SYSTEM_NO_PATIENT = 1 << 10,    /* nowhere: GET /Patient says */
    SYSTEM_KEEPS_REFRESH = 1 << 11, /* refresh gives no new refresh token */
    SYSTEM_NO_REFRESH = 1 << 12,    /* no refresh token at all */
    SYSTEM_REFRESH_SCOPE = 1 << 13, /* refresh wants scope again */
    /* FHIR */
    SYSTEM_EVERYTHING = 1 << 14,  /* Patient/$everything */
    SYSTEM_CLAIMS = 1 << 15,      /* Patient, Coverage, EOB only */
    SYSTEM_CATEGORY = 1 << 16,    /* Observation, CarePlan want a category */
    SYSTEM_INTENT = 1 << 17,      /* MedicationRequest wants intent (403) */
    SYSTEM_STATUS = 1 << 18,      /* CareTeam wants status */
    SYSTEM_ANY_PATIENT = 1 << 19, /* searches may leave the patient out */
    SYSTEM_NO_TOTAL = 1 << 20,
    SYSTEM_PAGE_TOTAL = 1 << 21, /* total counts the page */
    SYSTEM_OUTCOMES = 1 << 22,   /* an OperationOutcome entry in each set */
    SYSTEM_EMPTY_403 = 1 << 23,  /* refusals without a body */
    SYSTEM_HTML_404 = 1 << 24,
    SYSTEM_RAW_BINARY = 1 << 25,   /* Binary as its bytes, never as JSON */
    SYSTEM_OLD_JSON = 1 << 26,     /* application/json+fhir */
    SYSTEM_STRICT_JSON = 1 << 27,  /* else 406, empty */
    SYSTEM_CATEGORY_404 = 1 << 28, /* CarePlan without category: 404 */
    SYSTEM_SINCE = 1 << 29,        /* searches by _lastUpdated */
};
enum system_paging {
    PAGING_SESSION, /* ?sessionID= */
    PAGING_CONTEXT, /* ?pageContext= */
    PAGING_CURSOR,  /* ?cursor= with the query */
    PAGING_HAPI,    /* base?_getpages= */
    PAGING_NUMBER,  /* ?page=N with the query */
    PAGING_START,   /* ?startIndex=N with the query */
};

#define SYSTEM_RELEASE(release_) (1u << (release_))

struct sandbox_system {
    int64_t id;
    const char *slug; /* first part of every path */
    const char *name, *vendor;
    bool is_plan;
    unsigned releases; /* SYSTEM_RELEASE() */
    enum grant_auth auth;
    unsigned flags;
    enum system_paging paging;
    unsigned page_size, page_max;
    int64_t token_seconds;
    const char *line, *city, *state, *zip;
    const char *colour; /* of its pages */
};
extern const struct sandbox_system systems_all[];
extern const unsigned systems_count;

/* By slug; NULL when there is none. */
const struct sandbox_system *systems_find(struct str slug);
struct str systems_release_name(enum release release); /* "R4": in paths too */
bool systems_release_find(struct str name, enum release *out);

/* What the app registered: "tributary-<slug>" and its secret. */
struct str systems_client_id(struct arena *a, const struct sandbox_system *s);
struct str systems_client_secret(struct arena *a,
                                 const struct sandbox_system *s);
/* Keys of the sandbox, the same in every process: no secret.  The client's
 * for private_key_jwt, the systems' for id_token. */
extern const struct str systems_client_private_jwk, systems_client_public_jwk;
extern const struct str systems_server_private_jwk, systems_server_public_jwk;

/* {"systems":[...]} as in docs/directory.md, with credentials, for `tributary
 * system import`. */
void systems_print(struct buf *b, struct str base_url);

/* Resource types that a system serves in a release; NULL-terminated. */
const char *const *systems_types(const struct sandbox_system *s,
                                 enum release release);
/* Those that are found by id and reference, never by patient. */
bool systems_is_shared_type(struct str type);

#endif
