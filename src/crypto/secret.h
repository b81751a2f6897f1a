/* secret.h - a token, key or password on its way through: a type of its own,
 * wiped when it goes, with no way into a log or a str by accident (rule 30).
 */
#ifndef CRYPTO_SECRET_H
#define CRYPTO_SECRET_H

#include "base/err.h"
#include "base/str.h"

#define SECRET_MAX 65536 /* the longest token that a system may give us */
struct secret {
    char *bytes; /* heap; NULL when empty */
    size_t n;
};
#define AUTO_SECRET __attribute__((cleanup(secret_fini))) struct secret

/* Copies.  ERR_LIMIT past SECRET_MAX. */
MUST_CHECK enum err secret_init(struct secret *s, struct str from);
/* Wipes and frees. */
void secret_fini(struct secret *s);
/* The one way to look: for sending, sealing or digesting it, nothing else. */
struct str secret_reveal(const struct secret *s);
/* Overwrites bytes that the compiler may not leave out. */
void secret_wipe(void *p, size_t n);

#endif
