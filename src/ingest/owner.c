/* Whose is what a system sends? */
#include "base/json.h"
#include "ingest/ingest_int.h"

/* Whom a resource is about, when that is another Patient of the system. */
static struct str other_patient(const struct run *run, const struct page *page,
                                const struct resource *r)
{
    static const struct str paths[] = { STR_INIT("subject"),
                                        STR_INIT("patient"),
                                        STR_INIT("beneficiary") };
    /* What was read by its id may be seen, whatever id it came with. */
    if (!page->is_read && str_eq(r->type_name, STR("Patient")) && r->id.n > 0 &&
        !str_eq(r->id, run->connection.patient_id))
        return r->id;
    for (size_t i = 0; i < r->reference_count; i++) {
        struct source_ref ref;
        bool is_owner = false;
        for (size_t k = 0; k < sizeof paths / sizeof paths[0]; k++)
            is_owner |= str_eq(r->references[i].path, paths[k]);
        if (is_owner &&
            source_ref_split(run->release, run->connection.base_url,
                             r->references[i].value, &ref) &&
            str_eq(ref.type, STR("Patient")) &&
            !str_eq(ref.id, run->connection.patient_id))
            return ref.id;
    }
    return STR_NONE;
}

/* The same of a text that is no resource to us. */
static struct str other_patient_in(const struct run *run, struct arena *a,
                                   struct str text)
{
    static const struct str paths[] = { STR_INIT("subject.reference"),
                                        STR_INIT("patient.reference"),
                                        STR_INIT("beneficiary.reference") };
    struct yyjson_val *root;
    if (json_parse(a, text, &root, NULL) != OK)
        return STR_NONE;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct source_ref ref;
        if (source_ref_split(run->release, run->connection.base_url,
                             json_text(json_at(root, paths[i])), &ref) &&
            str_eq(ref.type, STR("Patient")) &&
            !str_eq(ref.id, run->connection.patient_id))
            return ref.id;
    }
    return STR_NONE;
}

/* Somebody else's resource in the answer is dropped and reported, unless the
 * person may read that Patient too (F50).  other: that Patient, or p NULL. */
static enum err is_foreign(struct run *run, struct str other,
                           struct run_type *asked, bool *out)
{
    bool may_see = true;
    enum err err = other.p == NULL ? OK : fetch_may_see(run, other, &may_see);
    if (err == OK && !may_see)
        keep_warn(asked,
                  STR("the system sent a resource of another person; it was "
                      "dropped"),
                  &run->arena);
    *out = !may_see;
    return err;
}

enum err owner_check(struct run *run, const struct page *page,
                     const struct resource *r, struct run_type *asked,
                     bool *drops)
{
    return is_foreign(run, other_patient(run, page, r), asked, drops);
}

enum err owner_check_text(struct run *run, struct arena *a, struct str text,
                          struct run_type *asked, bool *drops)
{
    return is_foreign(run, other_patient_in(run, a, text), asked, drops);
}
