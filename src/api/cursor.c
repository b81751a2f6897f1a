#include "api/cursor.h"

#include <string.h>

#include "base/base64.h"
#include "crypto/digest.h"
#include "crypto/seal.h"

#define MAC_BYTES   12
#define PLACE_BYTES 8

static struct digest mac(const struct fhir *f, struct str purpose,
                         struct str place)
{
    AUTO_BUF record = BUF(64);
    struct digest d;
    buf_add_i64(&record, f->access.user_id);
    buf_add_char(&record, '/');
    buf_add_i64(&record, f->access.principal.app_id);
    buf_add_char(&record, '/');
    buf_add_i64(&record, (int64_t)f->kind);
    const struct str parts[] = {
        STR("cursor"), { record.data, record.len }, purpose, place
    };
    seal_name(f->services->seal, parts, sizeof parts / sizeof parts[0], &d);
    return d;
}

enum err cursor_write(const struct fhir *f, struct str purpose, uint64_t place,
                      struct str *out)
{
    char bytes[PLACE_BYTES + MAC_BYTES];
    for (int i = 0; i < PLACE_BYTES; i++)
        bytes[i] = (char)(place >> (56 - 8 * i));
    struct digest d = mac(f, purpose, (struct str){ bytes, PLACE_BYTES });
    memcpy(bytes + PLACE_BYTES, d.bytes, MAC_BYTES);
    *out =
        base64url_encode(f->http->arena, (struct str){ bytes, sizeof bytes });
    return arena_err(f->http->arena);
}

enum err cursor_read(const struct fhir *f, struct str purpose, struct str text,
                     uint64_t *out)
{
    struct str bytes;
    enum err err = base64_decode(f->http->arena, text, &bytes);
    if (err == ERR_NOMEM)
        return err;
    if (err == OK && bytes.n == PLACE_BYTES + MAC_BYTES) {
        struct digest d = mac(f, purpose, str_slice(bytes, 0, PLACE_BYTES));
        if (digest_same(str_from(bytes, PLACE_BYTES),
                        (struct str){ (const char *)d.bytes, MAC_BYTES })) {
            uint64_t place = 0;
            for (int i = 0; i < PLACE_BYTES; i++)
                place = place << 8 | (unsigned char)bytes.p[i];
            *out = place;
            return OK;
        }
    }
    return why(&f->http->why, ERR_INVALID,
               "this page link is not one of this list: follow the next link "
               "as it was given, or begin anew");
}
