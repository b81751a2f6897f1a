/* rand.h - random bytes from the kernel, replaceable in tests. */
#ifndef BASE_RAND_H
#define BASE_RAND_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

/* Fills out with n bytes of the CSPRNG.  A kernel without randomness is no
 * place for tokens: the process ends. */
void rand_bytes(void *out, size_t n);

uint64_t rand_u64(void);
/* Even in [0, below); below > 0. */
uint64_t rand_below(uint64_t below);

/* 2 * bytes lower-case hex digits, NUL-terminated, in the arena. */
struct str rand_hex(struct arena *a, size_t bytes);

/* For tests: from now on a known sequence (seed), or the kernel's again. */
void rand_seed(uint64_t seed);
void rand_release(void);

#endif
