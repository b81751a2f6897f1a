#include "ui/assets.h"

#include <assert.h>

#include "base/embedded.h"
#include "base/hash.h"

#define TAG_LEN 12

/* Made of src/ui/assets/ by tools/embed.py. */
extern const struct embedded ui_assets[];
extern const size_t ui_assets_count;

static const struct {
    struct str ending, type;
} types[] = {
    { STR_INIT(".css"), STR_INIT("text/css; charset=utf-8") },
    { STR_INIT(".js"), STR_INIT("text/javascript; charset=utf-8") },
    { STR_INIT(".svg"), STR_INIT("image/svg+xml") },
};

static const struct embedded *by_name(struct str name)
{
    for (size_t i = 0; i < ui_assets_count; i++)
        if (str_eq(str_of(ui_assets[i].name), name))
            return &ui_assets[i];
    return NULL;
}

static struct str bytes_of(const struct embedded *file)
{
    return (struct str){ (const char *)file->bytes, file->size };
}

static void write_tag(char tag[TAG_LEN])
{
    uint64_t hash = 0;
    for (size_t i = 0; i < ui_assets_count; i++)
        hash = hash * 31 + hash64(bytes_of(&ui_assets[i]));
    for (size_t i = 0; i < TAG_LEN; i++, hash >>= 4)
        tag[i] = "0123456789abcdef"[hash & 15];
}

bool asset_find(struct str tag, struct str name, struct asset *out)
{
    char right[TAG_LEN];
    const struct embedded *file = by_name(name);
    if (file == NULL)
        return false;
    write_tag(right);
    if (!str_eq(tag, (struct str){ right, TAG_LEN }))
        return false;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (!str_ends(name, types[i].ending))
            continue;
        *out = (struct asset){ bytes_of(file), types[i].type };
        return true;
    }
    return false;
}

void asset_add_url(struct buf *b, struct str name)
{
    char tag[TAG_LEN];
    assert(by_name(name) != NULL);
    write_tag(tag);
    buf_add(b, STR("/assets/"));
    buf_add(b, (struct str){ tag, TAG_LEN });
    buf_add_char(b, '/');
    buf_add(b, name);
}
