#include "base/err.h"

#include <assert.h>
#include <string.h>

static const char *const names[ERR_COUNT_] = {
    [OK] = "OK",
    [ERR_NOMEM] = "ERR_NOMEM",
    [ERR_LIMIT] = "ERR_LIMIT",
    [ERR_FORMAT] = "ERR_FORMAT",
    [ERR_INVALID] = "ERR_INVALID",
    [ERR_NOT_FOUND] = "ERR_NOT_FOUND",
    [ERR_GONE] = "ERR_GONE",
    [ERR_EXISTS] = "ERR_EXISTS",
    [ERR_CONFLICT] = "ERR_CONFLICT",
    [ERR_PRECONDITION] = "ERR_PRECONDITION",
    [ERR_MULTIPLE] = "ERR_MULTIPLE",
    [ERR_UNAUTHENTICATED] = "ERR_UNAUTHENTICATED",
    [ERR_DENIED] = "ERR_DENIED",
    [ERR_UNSUPPORTED] = "ERR_UNSUPPORTED",
    [ERR_TOO_LARGE] = "ERR_TOO_LARGE",
    [ERR_RATE] = "ERR_RATE",
    [ERR_BUSY] = "ERR_BUSY",
    [ERR_TIMEOUT] = "ERR_TIMEOUT",
    [ERR_UPSTREAM] = "ERR_UPSTREAM",
    [ERR_IO] = "ERR_IO",
    [ERR_CRYPTO] = "ERR_CRYPTO",
    [ERR_STOPPING] = "ERR_STOPPING",
    [ERR_METHOD] = "ERR_METHOD",
    [ERR_NOT_ACCEPTABLE] = "ERR_NOT_ACCEPTABLE",
    [ERR_MEDIA_TYPE] = "ERR_MEDIA_TYPE",
    [ERR_UNPROCESSABLE] = "ERR_UNPROCESSABLE",
};

const char *err_name(enum err err)
{
    if ((unsigned)err >= ERR_COUNT_)
        return "ERR_?";
    return names[err];
}

enum err why(struct why *w, enum err err, const char *text)
{
    return why_of(w, err, str_of(text));
}

/* Steps back from the middle of a UTF-8 character to its start. */
static size_t character_boundary(const char *text, size_t n)
{
    while (n > 0 && ((unsigned char)text[n] & 0xC0u) == 0x80u)
        n--;
    return n;
}

enum err why_join(struct why *w, enum err err, const struct str *parts,
                  size_t n)
{
    if (w == NULL)
        return err;
    char text[WHY_MAX]; /* a part may be what w says now */
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        size_t room = WHY_MAX - 1 - len;
        size_t take = parts[i].n;
        if (take > room)
            take = character_boundary(parts[i].p, room);
        for (size_t k = 0; k < take; k++) /* no NUL, no line of its own */
            text[len++] =
                (unsigned char)parts[i].p[k] < 0x20 ? ' ' : parts[i].p[k];
        if (take < parts[i].n)
            break;
    }
    memcpy(w->text, text, len);
    w->text[len] = '\0';
    return err;
}
