/* embedded.h - files that are part of the binary, made by tools/embed.py. */
#ifndef BASE_EMBEDDED_H
#define BASE_EMBEDDED_H

#include <stddef.h>

struct embedded {
    const char *name;           /* file name without folder */
    const unsigned char *bytes; /* a NUL stands behind them */
    size_t size;
};

#endif
