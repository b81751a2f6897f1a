#include "api/cursor.h"

#include <string.h>

#include "base/base64.h"
#include "crypto/digest.h"
#include "crypto/seal.h"

#define MAC_BYTES    12
#define NUMBER_BYTES 10
#define PLACE_BYTES  1024  /* at most, before the MAC */
#define CHANGES_MAX  50000 /* since the first page: about 30 us each */

static void put_number(struct buf *b, uint64_t n);

/* Of all that a cursor is bound to, each with its length in front. */
static enum err mac(const struct fhir *f, struct str purpose, struct str place,
                    struct digest *out)
{
    struct buf b = BUF_IN(f->http->arena, HTTP_BODY_MAX);
    struct str all;
    buf_reserve(&b, purpose.n + place.n + 64);
    buf_add(&b, STR("cursor"));
    put_number(&b, (uint64_t)f->access.user_id);
    put_number(&b, (uint64_t)f->access.principal.app_id);
    put_number(&b, (uint64_t)f->kind);
    put_number(&b, purpose.n);
    buf_add(&b, purpose);
    buf_add(&b, place);
    enum err err = buf_view(&b, &all);
    return err == OK ? seal_mac(f->services->seal, all, out) : err;
}

/* Bytes and their MAC as text. */
static enum err seal_up(const struct fhir *f, struct str purpose,
                        struct str bytes, struct str *out)
{
    struct digest d;
    enum err err = mac(f, purpose, bytes, &d);
    if (err != OK)
        return err;
    struct str both = arena_cat(f->http->arena, bytes,
                                (struct str){ (char *)d.bytes, MAC_BYTES });
    *out = base64url_encode(f->http->arena, both);
    return arena_err(f->http->arena);
}

static enum err refuse(const struct fhir *f)
{
    return why(&f->http->why, ERR_INVALID,
               "this page link is not one of this list: follow the next link "
               "as it was given, or begin anew");
}

static enum err unseal(const struct fhir *f, struct str purpose,
                       struct str text, struct str *out)
{
    struct str bytes;
    struct digest d;
    enum err err = base64_decode(f->http->arena, text, &bytes);
    if (err == ERR_NOMEM)
        return err;
    if (err != OK || bytes.n <= MAC_BYTES)
        return refuse(f);
    struct str place = str_slice(bytes, 0, bytes.n - MAC_BYTES);
    err = mac(f, purpose, place, &d);
    if (err != OK)
        return err;
    if (!digest_same(str_from(bytes, place.n),
                     (struct str){ (const char *)d.bytes, MAC_BYTES }))
        return refuse(f);
    *out = place;
    return OK;
}

/* --- numbers, seven bits a byte ------------------------------------------ */

static void put_number(struct buf *b, uint64_t n)
{
    for (; n >= 0x80; n >>= 7)
        buf_add_char(b, (char)(n | 0x80));
    buf_add_char(b, (char)n);
}

static bool take_number(struct str *rest, uint64_t *out)
{
    uint64_t n = 0;
    for (size_t i = 0; i < rest->n && i < NUMBER_BYTES; i++) {
        unsigned char byte = (unsigned char)rest->p[i];
        n |= (uint64_t)(byte & 0x7f) << (7 * i);
        if ((byte & 0x80) == 0) {
            *rest = str_from(*rest, i + 1);
            *out = n;
            return true;
        }
    }
    return false;
}

enum err cursor_write(const struct fhir *f, struct str purpose, uint64_t place,
                      struct str *out)
{
    struct buf b = BUF_IN(f->http->arena, PLACE_BYTES);
    struct str bytes;
    put_number(&b, place);
    enum err err = buf_view(&b, &bytes);
    return err == OK ? seal_up(f, purpose, bytes, out) : err;
}

enum err cursor_read(const struct fhir *f, struct str purpose, struct str text,
                     uint64_t *out)
{
    struct str bytes;
    uint64_t place;
    enum err err = unseal(f, purpose, text, &bytes);
    if (err != OK)
        return err;
    if (!take_number(&bytes, &place) || bytes.n != 0)
        return refuse(f);
    *out = place;
    return OK;
}

/* --- places --------------------------------------------------------------- */

/* Links of Patient Connect's manner have a parameter of their own for it, where
 * ids may stand too: no id begins so. */
#define IS_PLACE '~'

/* What a list is does not hang on how much of it is shown at once. */
static bool is_of_showing(struct str name)
{
    static const struct str names[] = {
        STR_INIT("_count"),    STR_INIT("_format"),     STR_INIT("_pretty"),
        STR_INIT("_total"),    STR_INIT("_summary"),    STR_INIT("_elements"),
        STR_INIT("_include"),  STR_INIT("_revinclude"), STR_INIT("_explain"),
        STR_INIT("__explain"),
    };
    struct str plain = str_slice(name, 0, str_find(name, ':'));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (str_eq(plain, names[i]))
            return true;
    return fhir_is_private(name) || fhir_is_cursor(name);
}

enum err place_purpose(const struct fhir *f, struct str path,
                       const struct url_params *params, struct str *out)
{
    struct buf b = BUF_IN(f->http->arena, HTTP_BODY_MAX);
    buf_add(&b, STR("search "));
    buf_add(&b, path);
    for (size_t i = 0; i < params->n; i++)
        if (!is_of_showing(params->at[i].name))
            url_add_param(&b, params->at[i].name, params->at[i].value);
    return buf_view(&b, out);
}

static void put_text(struct buf *b, struct str s)
{
    put_number(b, s.n);
    buf_add(b, s);
}

static bool take_text(struct str *rest, struct str *out)
{
    uint64_t n;
    if (!take_number(rest, &n) || n > rest->n)
        return false;
    *out = str_slice(*rest, 0, (size_t)n);
    *rest = str_from(*rest, (size_t)n);
    return true;
}

enum err place_write(const struct fhir *f, struct str path,
                     const struct url_params *params, const struct place *place,
                     struct str *name, struct str *value)
{
    struct arena *a = f->http->arena;
    struct buf b = BUF_IN(a, PLACE_BYTES);
    struct str purpose, bytes, text;
    put_number(&b, (uint64_t)place->owner);
    put_number(&b, place->total);
    put_number(&b, (uint64_t)place->type << 1 | place->has_mark);
    if (place->has_mark) {
        put_number(&b, (uint64_t)place->mark.born);
        put_number(&b, place->mark.next_slot);
    }
    put_text(&b, place->patient);
    put_text(&b, place->id);
    enum err err = place_purpose(f, path, params, &purpose);
    if (err == OK)
        err = buf_view(&b, &bytes);
    if (err == OK)
        err = seal_up(f, purpose, bytes, &text);
    if (err != OK)
        return err;
    bool is_ours = f->info->always_links_self;
    *name = is_ours ? STR("_page") : STR("_afterid");
    *value = is_ours ? text : arena_cat(a, STR("~"), text);
    return arena_err(a);
}

static bool parse_place(struct str rest, struct place *out)
{
    uint64_t owner, kind, born = 0, slot = 0;
    if (!take_number(&rest, &owner) || !take_number(&rest, &out->total) ||
        !take_number(&rest, &kind))
        return false;
    out->has_mark = kind & 1;
    if (out->has_mark &&
        (!take_number(&rest, &born) || !take_number(&rest, &slot)))
        return false;
    out->owner = (int64_t)owner;
    out->type = (uint16_t)(kind >> 1);
    out->mark = (struct store_mark){ (int64_t)born, (uint32_t)slot };
    return take_text(&rest, &out->patient) && take_text(&rest, &out->id) &&
           rest.n == 0;
}

enum err place_read(const struct fhir *f, struct str path,
                    const struct url_params *params, struct place *out)
{
    struct place place = { .id = STR_NONE };
    struct str text = url_param(params, STR("_page")), purpose, bytes;
    struct str after = url_param(params, STR("_afterid"));
    *out = place;
    if (text.p == NULL && after.n > 0 && after.p[0] == IS_PLACE)
        text = str_from(after, 1);
    if (text.p == NULL)
        return OK;
    enum err err = place_purpose(f, path, params, &purpose);
    if (err == OK)
        err = unseal(f, purpose, text, &bytes);
    if (err != OK)
        return err;
    if (!parse_place(bytes, &place))
        return refuse(f);
    *out = place;
    return OK;
}

enum err place_rewind(const struct fhir *f, const struct place *place,
                      struct store_snapshot *snap, struct record **now)
{
    enum err err = store_rewind_to(snap, place->mark, CHANGES_MAX, now);
    if (err != ERR_GONE && err != ERR_LIMIT)
        return err;
    return why(&f->http->why, ERR_GONE,
               err == ERR_GONE ? "the record that this page is of was erased: "
                                 "begin anew"
                               : "too much was changed since the first page: "
                                 "begin anew");
}

struct str place_after(const struct fhir *f, const struct place *place)
{
    if (place->id.p == NULL || f->type != TYPE_NONE)
        return place->id;
    return arena_cat(f->http->arena, release_type_name(f->release, place->type),
                     STR("/"), place->id);
}
