#include "api/fhir_change.h"

enum err change_patch(const struct fhir *f, struct store_snapshot *snap,
                      struct change *c)
{
    (void)snap;
    (void)c;
    return why(&f->http->why, ERR_UNSUPPORTED, "PATCH is not offered yet");
}
