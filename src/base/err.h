/* err.h - the closed list of ways a call can fail, and the sentence that may
 * go with one.  The code decides what happens; the sentence is for a person.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/str.h"

enum err {
    OK = 0,
    ERR_NOMEM,           /* the allocator said no */
    ERR_LIMIT,           /* a declared limit would be passed */
    ERR_FORMAT,          /* bytes without the form they should have */
    ERR_INVALID,         /* well formed, but against a rule */
    ERR_NOT_FOUND,       /* no such thing, or not yours */
    ERR_GONE,            /* was there, is deleted */
    ERR_EXISTS,          /* is there already */
    ERR_CONFLICT,        /* somebody else changed it first */
    ERR_PRECONDITION,    /* If-Match and its kin do not hold */
    ERR_MULTIPLE,        /* one was needed, several match */
    ERR_UNAUTHENTICATED, /* who are you? */
    ERR_DENIED,          /* I know you; no */
    ERR_UNSUPPORTED,     /* understood, not offered */
    ERR_TOO_LARGE,       /* a body or batch over its limit */
    ERR_RATE,            /* too often; come back later */
    ERR_BUSY,            /* no room now; come back soon */
    ERR_TIMEOUT,         /* no answer in time */
    ERR_UPSTREAM,        /* another server answered badly */
    ERR_IO,              /* file, socket or database failed */
    ERR_CRYPTO,          /* a seal, signature or key does not hold */
    ERR_STOPPING,        /* the server is going down */
    ERR_METHOD,          /* this thing does not answer that method */
    ERR_NOT_ACCEPTABLE,  /* no answer in a form that was asked for */
    ERR_MEDIA_TYPE,      /* a body in a form that is not taken */
    ERR_UNPROCESSABLE,   /* understood, and it cannot be applied */
    ERR_COUNT_           /* how many there are; never returned */
};

/* Ignoring the answer of a call that can fail does not compile. */
#define MUST_CHECK __attribute__((warn_unused_result))

/* The name of the constant, for logs: "ERR_LIMIT". */
const char *err_name(enum err err);

/* Why a call failed, in one sentence for a person.  Lives in the request, the
 * job or the command that asked; callees fill it, NULL is allowed everywhere.
 * The text is cut at its limit, on a character boundary, never overrun; control
 * characters become blanks. */
#define WHY_MAX 400
struct why {
    char text[WHY_MAX]; /* NUL-terminated UTF-8, "" when nothing was said */
};

/* Says why, in place of what was said before, and hands err back, so that
 * `return why(w, ERR_INVALID, "...")` is one line. */
enum err why(struct why *w, enum err err, const char *text);
enum err why_join(struct why *w, enum err err, const struct str *parts,
                  size_t n);

/* why_of(w, ERR_INVALID, STR("no type "), type): joins up to any number of
 * struct str. */
#define why_of(w_, err_, ...)                                                  \
    why_join((w_), (err_), (const struct str[]){ __VA_ARGS__ },                \
             sizeof((const struct str[]){ __VA_ARGS__ }) / sizeof(struct str))

#endif
