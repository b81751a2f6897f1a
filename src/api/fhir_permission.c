/* _permission: a user lets another user of the app read a patient.  Contract
 * 7.8. */
#include "api/fhir_share.h"

#include "auth/user.h"
#include "base/json.h"
#include "record/record.h"

enum { CAPTURE_GRANTEE = CAPTURE_VERSION };

enum err fhir_shares(const struct fhir *f, enum interaction interaction,
                     struct share **out, size_t *n)
{
    *out = NULL;
    *n = 0;
    if (f->services->shares == NULL || f->kind == RECORD_AUDIT ||
        f->access.is_app_wide || !policy_reaches_shared(interaction))
        return OK;
    return shares_of(f->services->shares, f->access.user_id, (int)f->kind,
                     f->http->arena, out, n);
}

enum err fhir_share_shows(struct store_snapshot *snap,
                          const struct share *share, uint16_t type,
                          struct str id, struct arena *a, bool *out)
{
    struct record_everything ask = { .patient_id = share->patient_id,
                                     .types = &type,
                                     .type_count = 1,
                                     .after_type = TYPE_NONE };
    struct record_hits hits;
    enum err err = record_everything(store_record(snap), &ask, a, &hits);
    *out = false;
    for (size_t i = 0; err == OK && !*out && i < hits.n; i++)
        *out = hits.at[i].type == type && str_eq(hits.at[i].id, id);
    return err;
}

bool fhir_is_hidden(const struct fhir *f, int64_t user_id, uint16_t type)
{
    int64_t caller = f->access.principal.user_id; /* 0: the app, which may */
    return caller != 0 && user_id != caller &&
           str_eq(release_type_name(f->release, type), STR("Subscription"));
}

static bool is_own(const struct fhir *f, uint16_t type, struct str id,
                   enum err *err)
{
    AUTO_SNAPSHOT *snap = NULL;
    struct record_entry e;
    *err = fhir_open(f, &snap);
    return *err == OK && record_find(store_record(snap), type, id, &e);
}

enum err fhir_follow_share(struct fhir *f, enum interaction interaction,
                           uint16_t type, struct str id)
{
    struct share *shares;
    size_t n;
    enum err err = fhir_shares(f, interaction, &shares, &n);
    if (err != OK || n == 0 || type == TYPE_NONE || is_own(f, type, id, &err))
        return err;
    for (size_t i = 0; err == OK && i < n; i++) {
        AUTO_SNAPSHOT *snap = NULL;
        struct record_entry e;
        bool is_shown = false;
        if (fhir_is_hidden(f, shares[i].user_id, type))
            continue;
        err = store_open(f->services->store, shares[i].user_id, f->kind, &snap);
        if (err == OK && record_find(store_record(snap), type, id, &e) &&
            !e.is_deleted)
            err = fhir_share_shows(snap, &shares[i], type, id, f->http->arena,
                                   &is_shown);
        if (is_shown) {
            f->access.user_id = shares[i].user_id;
            break;
        }
    }
    return err;
}

/* --- granting ------------------------------------------------------------- */

/* With the app's keys: the user that oneup_user_id names, else whose patient it
 * is. */
static enum err find_grantor(struct fhir *f, struct str patient)
{
    struct http_request *r = f->http;
    struct str name = url_param(&r->params, STR("oneup_user_id"));
    struct user user;
    int64_t id;
    if (!f->access.is_app_wide)
        return OK;
    if (name.p == NULL)
        return fhir_find_owner(f, patient);
    enum err err = ERR_NOT_FOUND;
    if (str_to_i64(name, &id))
        err = user_by_id(f->services->db, f->access.principal.app_id, id,
                         r->arena, &user);
    if (err == ERR_NOT_FOUND)
        return why(&r->why, err, "this user does not exist");
    if (err == OK) {
        f->access.user_id = user.id;
        f->access.is_app_wide = false;
    }
    return err;
}

static enum err find_patient(const struct fhir *f, struct str id)
{
    AUTO_SNAPSHOT *snap = NULL;
    struct store_version v;
    enum err err = fhir_open(f, &snap);
    if (err == OK)
        err = store_read(snap, f->type, id, &v);
    if (err == ERR_NOT_FOUND || err == ERR_GONE)
        return why_of(&f->http->why, ERR_NOT_FOUND, STR("no Patient/"), id);
    return err;
}

static enum err find_grantee(const struct fhir *f, struct share *share)
{
    struct http_request *r = f->http;
    struct user user;
    int64_t id;
    enum err err = ERR_NOT_FOUND;
    if (str_to_i64(r->captures[CAPTURE_GRANTEE], &id))
        err = user_by_id(f->services->db, f->access.principal.app_id, id,
                         r->arena, &user);
    if (err == ERR_NOT_FOUND)
        return why(&r->why, err, "this user does not exist");
    if (err == OK && user.id == share->user_id)
        return why(&r->why, ERR_INVALID,
                   "a user's own record needs no permission");
    if (err == OK)
        share->grantee_id = user.id;
    return err;
}

static enum err change(struct http_request *r, struct http_response *out,
                       enum err (*apply)(struct shares *s,
                                         const struct share *share))
{
    struct fhir f;
    struct str patient = r->captures[CAPTURE_ID];
    bool is_all = str_eq(patient, STR("patientid")); /* as an SDK sends it */
    enum err err = fhir_begin(r, INTERACTION_SHARE, &f);
    if (err == OK && !str_eq(f.type_name, STR("Patient")))
        err = why(&r->why, ERR_NOT_FOUND, "only a Patient has _permission");
    if (err == OK && is_all && f.access.is_app_wide &&
        url_param(&r->params, STR("oneup_user_id")).p == NULL)
        err = why(&r->why, ERR_INVALID, "name the owner in oneup_user_id");
    if (err == OK)
        err = find_grantor(&f, patient);
    if (err == OK && !is_all)
        err = find_patient(&f, patient);
    struct share share = { .user_id = f.access.user_id,
                           .kind = (int)f.kind,
                           .patient_id = is_all ? STR("") : patient };
    if (err == OK)
        err = find_grantee(&f, &share);
    if (err == OK)
        err = apply(f.services->shares, &share);
    if (err != OK)
        return err;
    http_set_type(out, STR("application/json; charset=utf-8"));
    json_object(&out->body);
    json_member_bool(&out->body, STR("success"), true);
    json_object_end(&out->body);
    fhir_audit(&f, 'U', 200);
    return OK;
}

enum err fhir_permission_put(struct http_request *r, struct http_response *out)
{
    return change(r, out, share_grant);
}

enum err fhir_permission_delete(struct http_request *r,
                                struct http_response *out)
{
    return change(r, out, share_revoke);
}
