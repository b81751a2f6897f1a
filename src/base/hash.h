/* hash.h - fast hashes of bytes (XXH3): for maps and for "is it the same
 * content?", never for secrets (crypto/digest.h). */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdint.h>

#include "base/str.h"

struct hash128 {
    uint64_t high, low;
};

uint64_t hash64(struct str s);
struct hash128 hash128(struct str s);
bool hash128_eq(struct hash128 a, struct hash128 b);

#endif
