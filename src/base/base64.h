/* base64.h - RFC 4648: base64, base64url and base16 (hex, lower case). */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

/* All results live in the arena with a NUL behind; STR_NONE on failure. */
struct str base64_encode(struct arena *a, struct str bytes);
/* The URL-safe alphabet, without padding (section 5). */
struct str base64url_encode(struct arena *a, struct str bytes);
struct str hex_encode(struct arena *a, struct str bytes);

/* Either alphabet, padding optional, blanks between allowed; ERR_FORMAT for
 * anything else. */
MUST_CHECK enum err base64_decode(struct arena *a, struct str text,
                                  struct str *out);
/* Either case; ERR_FORMAT for an odd length or other characters. */
MUST_CHECK enum err hex_decode(struct arena *a, struct str text,
                               struct str *out);

#endif
