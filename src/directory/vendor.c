#include "directory/vendor.h"

#include "base/json.h"

#define FHIR_JSON STR_INIT("application/fhir+json")
#define OLD_JSON  STR_INIT("application/json+fhir, application/fhir+json")
#define ANY_JSON  STR_INIT("application/fhir+json, application/json;q=0.9")
#define HOST_MAX  6 /* requests at once where nothing is known */
#define PAGE_SIZE 100
#define V(text_)  STR_INIT(text_)
#define NO_SCOPES STR_INIT("")

/* The first row works untouched with an unknown server: US Core R4, S256, aud,
 * spelled-out scopes. */
/* clang-format off */
static const struct vendor vendors[] = {
    { V("default"), VENDOR_AUTH_PUBLIC, 0, HOST_MAX, PAGE_SIZE, ANY_JSON, NO_SCOPES, V(""), V("") },

    { V("epic"), VENDOR_AUTH_BASIC, VENDOR_TOTAL_OF_PAGE, HOST_MAX, PAGE_SIZE, ANY_JSON, NO_SCOPES, V("Epic"), V("Epic") },
    { V("cerner"), VENDOR_AUTH_BASIC, 0, HOST_MAX, PAGE_SIZE, FHIR_JSON, NO_SCOPES, V("Oracle Health (Cerner)"), V("Cerner") },
    { V("athena"), VENDOR_AUTH_BASIC, VENDOR_REFRESH_SCOPE | VENDOR_NONCE, HOST_MAX, PAGE_SIZE, FHIR_JSON, NO_SCOPES, V("athenahealth"), V("athenahealth") },
    { V("eclinicalworks"), VENDOR_AUTH_BASIC, VENDOR_AUD_NO_SLASH, 2, PAGE_SIZE, ANY_JSON, NO_SCOPES, V("eClinicalWorks"), V("eClinicalWorks") },
    { V("allscripts"), VENDOR_AUTH_BASIC, VENDOR_WILDCARD_SCOPE, HOST_MAX, PAGE_SIZE, OLD_JSON, NO_SCOPES, V("Veradigm (Allscripts)"), V("Allscripts") },
    { V("nextgen"), VENDOR_AUTH_BASIC, VENDOR_WILDCARD_SCOPE | VENDOR_NO_AUD | VENDOR_NO_OFFLINE, HOST_MAX, 50, FHIR_JSON, NO_SCOPES, V("NextGen"), V("NextGen") },
    { V("meditech"), VENDOR_AUTH_BASIC, VENDOR_NO_OFFLINE | VENDOR_EVERYTHING, HOST_MAX, PAGE_SIZE, FHIR_JSON, NO_SCOPES, V("MEDITECH"), V("Meditech") },
    { V("modmed"), VENDOR_AUTH_JWT, VENDOR_SCOPE_V2 | VENDOR_TOTAL_OF_PAGE, HOST_MAX, PAGE_SIZE, FHIR_JSON, NO_SCOPES, V("ModMed EMA"), V("ModMed") },
    { V("practicefusion"), VENDOR_AUTH_BASIC, 0, 2, PAGE_SIZE, FHIR_JSON, NO_SCOPES, V("Practice Fusion"), V("Practice Fusion") },
    { V("meldrx"), VENDOR_AUTH_JWT, VENDOR_SCOPE_V2 | VENDOR_WILDCARD_SCOPE | VENDOR_AUD_NO_SLASH | VENDOR_EVERYTHING, HOST_MAX, PAGE_SIZE, FHIR_JSON, V("meldrx-api"), V("MeldRx (Darena)"), V("MeldRx") },
    { V("drchrono"), VENDOR_AUTH_BASIC, VENDOR_WILDCARD_SCOPE | VENDOR_PATIENT_FROM_SEARCH, HOST_MAX, PAGE_SIZE, ANY_JSON, NO_SCOPES, V("DrChrono"), V("DrChrono") },
    { V("chbase"), VENDOR_AUTH_PUBLIC, 0, HOST_MAX, PAGE_SIZE, FHIR_JSON, NO_SCOPES, V("CHBase"), V("CHBase") },
    { V("medhost"), VENDOR_AUTH_PUBLIC, 0, HOST_MAX, PAGE_SIZE, V("application/json"), NO_SCOPES, V("MEDHOST"), V("MEDHOST") },
    { V("careevolution"), VENDOR_AUTH_BASIC, VENDOR_NO_PKCE | VENDOR_WILDCARD_SCOPE | VENDOR_AUD_NO_SLASH | VENDOR_EVERYTHING, HOST_MAX, PAGE_SIZE, FHIR_JSON, NO_SCOPES, V("CareEvolution"), V("CareEvolution") },
    { V("netsmart"), VENDOR_AUTH_BASIC, VENDOR_WILDCARD_SCOPE | VENDOR_AUD_NO_SLASH | VENDOR_EVERYTHING, HOST_MAX, PAGE_SIZE, FHIR_JSON, NO_SCOPES, V("Netsmart"), V("Netsmart") },
    { V("advancedmd"), VENDOR_AUTH_BASIC, VENDOR_WILDCARD_SCOPE | VENDOR_NO_AUD | VENDOR_EVERYTHING, HOST_MAX, PAGE_SIZE, FHIR_JSON, NO_SCOPES, V("AdvancedMD"), V("AdvancedMD") },
    { V("greenway"), VENDOR_AUTH_PUBLIC, 0, HOST_MAX, PAGE_SIZE, FHIR_JSON, NO_SCOPES, V("Greenway"), V("Greenway") },
    { V("onemedical"), VENDOR_AUTH_PUBLIC, VENDOR_WILDCARD_SCOPE | VENDOR_AUD_NO_SLASH, HOST_MAX, PAGE_SIZE, FHIR_JSON, NO_SCOPES, V("One Medical"), V("One Medical") },
    { V("va"), VENDOR_AUTH_PUBLIC, VENDOR_NO_AUD | VENDOR_REFRESH_SCOPE, 2, PAGE_SIZE, FHIR_JSON, NO_SCOPES, V("Veterans Affairs"), V("VA") },
    { V("quest"), VENDOR_AUTH_BASIC, VENDOR_NO_AUD, HOST_MAX, PAGE_SIZE, FHIR_JSON, NO_SCOPES, V("Quest Diagnostics"), V("Quest") },

    { V("bluebutton"), VENDOR_AUTH_BASIC, VENDOR_CLAIMS | VENDOR_NO_AUD | VENDOR_NO_OFFLINE | VENDOR_NO_FHIRUSER | VENDOR_PATIENT_FROM_SEARCH, HOST_MAX, 50, OLD_JSON, NO_SCOPES, V("CMS Blue Button 2.0"), V("Blue Button") },
    { V("payer"), VENDOR_AUTH_BASIC, VENDOR_WILDCARD_SCOPE, HOST_MAX, PAGE_SIZE, FHIR_JSON, NO_SCOPES, V("Health plan"), V("") },
    { V("aetna"), VENDOR_AUTH_PUBLIC, VENDOR_WILDCARD_SCOPE | VENDOR_NO_OFFLINE, HOST_MAX, PAGE_SIZE, FHIR_JSON, NO_SCOPES, V("Aetna"), V("Aetna") },
    { V("cigna"), VENDOR_AUTH_PUBLIC, VENDOR_WILDCARD_SCOPE | VENDOR_NO_AUD | VENDOR_EVERYTHING, HOST_MAX, PAGE_SIZE, V("application/json"), NO_SCOPES, V("Cigna"), V("Cigna") },
    { V("humana"), VENDOR_AUTH_BASIC, VENDOR_EVERYTHING, HOST_MAX, PAGE_SIZE, FHIR_JSON, V("internal patient/List.read patient/ExplanationOfBenefit.read"), V("Humana"), V("Humana") },
    { V("anthem"), VENDOR_AUTH_BASIC, VENDOR_WILDCARD_SCOPE | VENDOR_AUD_NO_SLASH | VENDOR_EVERYTHING, HOST_MAX, PAGE_SIZE, FHIR_JSON, NO_SCOPES, V("Elevance (Anthem)"), V("Anthem") },
    { V("unitedhealthcare"), VENDOR_AUTH_PUBLIC, VENDOR_NO_OFFLINE, HOST_MAX, PAGE_SIZE, FHIR_JSON, V("patient/ExplanationOfBenefit.read"), V("UnitedHealthcare"), V("UnitedHealthcare") },
    { V("kaiser"), VENDOR_AUTH_BASIC, VENDOR_WILDCARD_SCOPE, HOST_MAX, PAGE_SIZE, FHIR_JSON, NO_SCOPES, V("Kaiser Permanente"), V("Kaiser") },
};

static const struct { struct str other, name; } other_names[] = {
    { V("oracle"), V("cerner") },      { V("oracle-health"), V("cerner") },
    { V("veradigm"), V("allscripts") }, { V("altera"), V("allscripts") },
    { V("healow"), V("eclinicalworks") }, { V("ecw"), V("eclinicalworks") },
    { V("athenahealth"), V("athena") }, { V("blue-button"), V("bluebutton") },
    { V("cms"), V("bluebutton") },      { V("darena"), V("meldrx") },
    { V("onpatient"), V("drchrono") },  { V("patientfusion"), V("practicefusion") },
    { V("claims"), V("bluebutton") },   { V("optum"), V("unitedhealthcare") },
};

/* What a list's file name says, then what a URL says; the first that fits. */
static const struct { struct str part, name; } list_hints[] = {
    { V("Epic_Systems"), V("epic") },      { V("epic-"), V("epic") },
    { V("Cerner_Corporation"), V("cerner") }, { V("cerner-"), V("cerner") },
    { V("athenahealth"), V("athena") },    { V("athena-"), V("athena") },
    { V("healow"), V("eclinicalworks") },  { V("Veradigm"), V("allscripts") },
    { V("veradigm"), V("allscripts") },    { V("Altera"), V("allscripts") },
    { V("MEDITECH"), V("meditech") },      { V("Modernizing_Medicine"), V("modmed") },
    { V("Darena"), V("meldrx") },          { V("Drchrono"), V("drchrono") },
    { V("Greenway"), V("greenway") },      { V("MEDHOST"), V("medhost") },
    { V("Netsmart"), V("netsmart") },      { V("AdvancedMD"), V("advancedmd") },
    { V("careevolution"), V("careevolution") }, { V("1Life"), V("onemedical") },
};
static const struct { struct str part, name; } url_hints[] = {
    { V(".cerner.com/"), V("cerner") },    { V("healow.com/"), V("eclinicalworks") },
    { V("eclinicalworks.com/"), V("eclinicalworks") },
    { V("athenahealth.com/"), V("athena") }, { V(".allscripts.com"), V("allscripts") },
    { V("allscriptscloud.com"), V("allscripts") }, { V("nextgen.com/"), V("nextgen") },
    { V("meditech"), V("meditech") },      { V("ema-api.com/"), V("modmed") },
    { V("meldrx.com/"), V("meldrx") },     { V("drchrono.com/"), V("drchrono") },
    { V("practicefusion.com"), V("practicefusion") }, { V("patientfusion.com"), V("practicefusion") },
    { V("greenwayhealth.com"), V("greenway") }, { V("netsmartcloud.com"), V("netsmart") },
    { V("advancedmd.com"), V("advancedmd") }, { V("chbase.com"), V("chbase") },
    { V("yourcareuniverse.net"), V("medhost") }, { V("1life.com"), V("onemedical") },
    { V("onemedical.io"), V("onemedical") }, { V("bluebutton.cms.gov"), V("bluebutton") },
    { V("api.va.gov"), V("va") },          { V("aetna.com"), V("aetna") },
    { V("cigna.com"), V("cigna") },        { V("humana.com"), V("humana") },
    { V("anthem.com"), V("anthem") },      { V("optum.com"), V("unitedhealthcare") },
    { V("uhc.com"), V("unitedhealthcare") }, { V("questdiagnostics"), V("quest") },
    { V("fhir.com/r4"), V("payer") },
    { V("/api/fhir/"), V("epic") },        { V("epichosted.com"), V("epic") },
};
/* clang-format on */

#define COUNT(a_) (sizeof(a_) / sizeof(a_)[0])

const struct vendor *vendor_all(size_t *n)
{
    *n = COUNT(vendors);
    return vendors;
}

const struct vendor *vendor_find(struct str name)
{
    for (size_t i = 0; i < COUNT(other_names); i++)
        if (str_eq_nocase(other_names[i].other, name))
            name = other_names[i].name;
    for (size_t i = 0; i < COUNT(vendors); i++)
        if (str_eq_nocase(vendors[i].name, name))
            return &vendors[i];
    return &vendors[0];
}

bool vendor_auth_of(struct str word, enum vendor_auth *out)
{
    static const struct str words[] = {
        [VENDOR_AUTH_PUBLIC] = STR_INIT("public"),
        [VENDOR_AUTH_BASIC] = STR_INIT("basic"),
        [VENDOR_AUTH_POST] = STR_INIT("post"),
        [VENDOR_AUTH_JWT] = STR_INIT("jwt"),
    };
    for (size_t i = 0; i < COUNT(words); i++) {
        if (!str_eq(words[i], word))
            continue;
        *out = (enum vendor_auth)i;
        return true;
    }
    return false;
}

/* A flag that a boolean member sets when it is `when`, and clears else. */
static void override_flag(struct vendor *v, struct yyjson_val *json,
                          struct str name, unsigned flag, bool when)
{
    struct yyjson_val *member = json_get(json, name);
    if (!json_is_bool(member))
        return;
    if (json_true(member) == when)
        v->flags |= flag;
    else
        v->flags &= ~flag;
}

static void override_number(struct yyjson_val *json, struct str name,
                            int64_t most, unsigned *out)
{
    int64_t value;
    if (json_get_i64(json, name, &value) && value >= 0 && value <= most)
        *out = (unsigned)value;
}

static void override_text(struct yyjson_val *json, struct str name,
                          struct str *out)
{
    if (json_is_string(json_get(json, name)))
        *out = json_get_text(json, name);
}

static void override_scope(struct vendor *v, struct str word)
{
    if (word.n == 0)
        return;
    v->flags &= ~(unsigned)(VENDOR_WILDCARD_SCOPE | VENDOR_SCOPE_V2);
    if (str_eq(word, STR("wildcard")))
        v->flags |= VENDOR_WILDCARD_SCOPE;
    else if (str_eq(word, STR("v2")))
        v->flags |= VENDOR_SCOPE_V2;
}

enum err vendor_with(const struct vendor *base, struct str overrides,
                     struct arena *a, struct vendor *out)
{
    struct vendor v = *base;
    struct yyjson_val *json = NULL;
    if (str_trim(overrides).n > 0) {
        enum err err = json_parse(a, overrides, &json, NULL);
        if (err != OK)
            return err;
        if (!json_is_object(json))
            return ERR_FORMAT;
    }
    (void)vendor_auth_of(json_get_text(json, STR("auth")), &v.auth);
    override_scope(&v, json_get_text(json, STR("scope")));
    override_flag(&v, json, STR("pkce"), VENDOR_NO_PKCE, false);
    override_flag(&v, json, STR("aud"), VENDOR_NO_AUD, false);
    override_flag(&v, json, STR("offline"), VENDOR_NO_OFFLINE, false);
    override_flag(&v, json, STR("fhir_user"), VENDOR_NO_FHIRUSER, false);
    override_flag(&v, json, STR("claims"), VENDOR_CLAIMS, true);
    override_flag(&v, json, STR("everything"), VENDOR_EVERYTHING, true);
    override_flag(&v, json, STR("patient_from_search"),
                  VENDOR_PATIENT_FROM_SEARCH, true);
    override_number(json, STR("per_host_max"), 100, &v.per_host_max);
    override_number(json, STR("page_size"), 1000, &v.page_size);
    override_text(json, STR("accept"), &v.accept);
    override_text(json, STR("extra_scopes"), &v.extra_scopes);
    *out = v;
    return OK;
}

/* Whether part stands in text, ASCII case aside. */
static bool contains(struct str text, struct str part)
{
    for (size_t i = 0; i + part.n <= text.n; i++)
        if (str_eq_nocase(str_slice(text, i, i + part.n), part))
            return true;
    return false;
}

struct str vendor_guess(struct str list_name, struct str url)
{
    for (size_t i = 0; i < COUNT(list_hints); i++)
        if (str_search(list_name, list_hints[i].part) < list_name.n)
            return list_hints[i].name;
    for (size_t i = 0; i < COUNT(url_hints); i++)
        if (contains(url, url_hints[i].part))
            return url_hints[i].name;
    return STR("default");
}
