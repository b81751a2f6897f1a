#include "base/rand.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/base64.h"

/* 0: the kernel's bytes; else the state of a splitmix64. */
static _Atomic uint64_t seeded;

static uint64_t next_known(void)
{
    uint64_t z = atomic_fetch_add(&seeded, UINT64_C(0x9e3779b97f4a7c15)) +
                 UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void rand_bytes(void *out, size_t n)
{
    char *at = out;
    if (atomic_load(&seeded) != 0) {
        for (size_t i = 0; i < n; i++)
            at[i] = (char)(next_known() >> 24);
        return;
    }
    while (n > 0) {
        ssize_t got = getrandom(at, n, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            abort();
        at += got;
        n -= (size_t)got;
    }
}

uint64_t rand_u64(void)
{
    uint64_t value;
    rand_bytes(&value, sizeof value);
    return value;
}

uint64_t rand_below(uint64_t below)
{
    uint64_t unfair = (0 - below) % below;
    for (;;) {
        uint64_t value = rand_u64();
        if (value >= unfair)
            return value % below;
    }
}

struct str rand_hex(struct arena *a, size_t bytes)
{
    unsigned char *raw = arena_alloc(a, bytes);
    if (raw == NULL)
        return STR_NONE;
    rand_bytes(raw, bytes);
    return hex_encode(a, (struct str){ (const char *)raw, bytes });
}

void rand_seed(uint64_t seed)
{
    atomic_store(&seeded, seed | 1);
}

void rand_release(void)
{
    atomic_store(&seeded, 0);
}
