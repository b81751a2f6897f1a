/* text_int.h - what lists write, cleaned: names, addresses, URLs.  All results
 * live in the arena; STR_NONE when it failed.  Of directory/ only.
 */
#ifndef DIRECTORY_TEXT_INT_H
#define DIRECTORY_TEXT_INT_H

#include "base/arena.h"
#include "base/err.h"

/* HTML escapes undone, control characters and doubled blanks gone. */
struct str text_clean(struct arena *a, struct str s);
/* For finding: folded, apostrophes dropped, other punctuation a blank. */
struct str text_words(struct arena *a, struct str s);
/* For "is it the same name?": text_words() without legal forms (Inc, LLC). */
struct str text_name_key(struct arena *a, struct str name);
/* Five digits, or five-four; "" for what is no US postal code. */
struct str text_zip(struct arena *a, struct str s);
/* "CA" for "California" or "ca"; the text itself for what is no US state. */
struct str text_state(struct str s);
/* Whether s is a state's two capital letters. */
bool text_is_state(struct str s);

/* A FHIR base URL in the one form that we compare: https, lower-case host, no
 * default port, no doubled or last '/', no /metadata.  Plain http to a public
 * name becomes https.  ERR_INVALID with why: no URL, a private address, a page.
 */
MUST_CHECK enum err text_base_url(struct arena *a, struct str s,
                                  struct str *out, struct why *w);
/* The same URL as published, which is what the system wants as aud: differs
 * only by its last '/'. */
struct str text_published(struct arena *a, struct str base_url, struct str s);
/* "DSTU2", "STU3", "R4" by the URL's own words; "" when it has none. */
struct str text_release_of_url(struct str url);
/* The release of a FHIR version: "4.0.1" and "R4" are R4; "" for others. */
struct str text_release_of_version(struct str version);

#endif
