/* url.h - URLs (RFC 3986), forms (x-www-form-urlencoded) and their escapes. */
#ifndef BASE_URL_H
#define BASE_URL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* An absolute http or https URL, cut into views of the text it came from. */
struct url {
    struct str text;   /* all of it */
    struct str scheme; /* as written; url_is_https() ignores case */
    struct str host;   /* without the brackets of an IPv6 address */
    struct str origin; /* "https://host:port", as written */
    struct str path;   /* "" or "/..." */
    struct str query;  /* without '?' */
    uint16_t port;     /* 443 or 80 when none was written */
};

/* ERR_FORMAT for what is not http(s), has user info, a fragment, a control
 * character, blank, backslash or a host that is empty, escaped or not ASCII. */
MUST_CHECK enum err url_parse(struct str text, struct url *out);
bool url_is_https(const struct url *u);
/* Same scheme, host (case aside) and port. */
bool url_same_origin(const struct url *a, const struct url *b);
/* 127.0.0.0/8, ::1 or localhost, by name. */
bool url_is_loopback(const struct url *u);

/* base and reference joined (RFC 3986 section 5.2); reference may be absolute.
 * STR_NONE on failure, also for a reference of another scheme. */
struct str url_resolve(struct arena *a, struct str base, struct str reference);
/* base without trailing '/', then '/', then path without leading '/'. */
struct str url_join(struct arena *a, struct str base, struct str path);

/* Adds s percent-encoded: all but unreserved characters. */
void url_escape(struct buf *b, struct str s);
/* Decoded, in the arena; `is_form` turns '+' into a blank.  A '%' without two
 * hex digits stays as it is.  STR_NONE when the arena failed. */
struct str url_unescape(struct arena *a, struct str s, bool is_form);

struct url_param {
    struct str name, value; /* decoded, in the arena */
};
#define URL_PARAMS_MAX 1000
struct url_params {
    struct url_param *at;
    size_t n;
};
/* A query or form body, in its order; ERR_LIMIT past URL_PARAMS_MAX. */
MUST_CHECK enum err url_parse_params(struct arena *a, struct str text,
                                     struct url_params *out);
/* The first of that name; STR_NONE (p NULL) when there is none. */
struct str url_param(const struct url_params *params, struct str name);

/* Adds name=value escaped, with '?' or '&' before it as the text needs. */
void url_add_param(struct buf *b, struct str name, struct str value);
/* The same for a form body, '&' between. */
void url_add_form(struct buf *b, struct str name, struct str value);

#endif
