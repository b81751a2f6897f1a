#include "crypto/secret.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

void secret_wipe(void *p, size_t n)
{
    OPENSSL_cleanse(p, n);
}

enum err secret_init(struct secret *s, struct str from)
{
    if (from.n > SECRET_MAX)
        return ERR_LIMIT;
    char *bytes = malloc(from.n + 1);
    if (bytes == NULL)
        return ERR_NOMEM;
    if (from.n > 0)
        memcpy(bytes, from.p, from.n);
    bytes[from.n] = '\0';
    *s = (struct secret){ bytes, from.n };
    return OK;
}

void secret_fini(struct secret *s)
{
    if (s->bytes != NULL)
        secret_wipe(s->bytes, s->n);
    free(s->bytes);
    *s = (struct secret){ NULL, 0 };
}

struct str secret_reveal(const struct secret *s)
{
    return (struct str){ s->bytes, s->n };
}
