/* assets.h - style, scripts and pictures, part of the binary.  They are served
 * under a path with the hash of all of them in it, so they may be cached for
 * ever and may name each other by relative URLs.
 */
#ifndef UI_ASSETS_H
#define UI_ASSETS_H

#include "base/buf.h"
#include "base/str.h"

struct asset {
    struct str bytes;
    struct str type;
};

/* tag: as in the URL; false for an unknown name or another build's tag. */
bool asset_find(struct str tag, struct str name, struct asset *out);

/* Adds "/assets/<tag>/<name>".  An unknown name is our bug. */
void asset_add_url(struct buf *b, struct str name);

#endif
