#include "ui/page_connect.h"

#include "ui/html.h"

#define REFRESH_S 3

/* Sorted by type. */
static const struct {
    struct str type, name;
} kinds[] = {
    { STR_INIT("Account"), STR_INIT("Accounts and bills") },
    { STR_INIT("AdverseEvent"), STR_INIT("Adverse events") },
    { STR_INIT("AllergyIntolerance"), STR_INIT("Allergies") },
    { STR_INIT("Appointment"), STR_INIT("Appointments") },
    { STR_INIT("AppointmentResponse"), STR_INIT("Answers to appointments") },
    { STR_INIT("AuditEvent"), STR_INIT("Who looked at records") },
    { STR_INIT("Basic"), STR_INIT("Other records") },
    { STR_INIT("Binary"), STR_INIT("Files") },
    { STR_INIT("BodySite"), STR_INIT("Body sites") },
    { STR_INIT("BodyStructure"), STR_INIT("Body sites") },
    { STR_INIT("CarePlan"), STR_INIT("Care plans") },
    { STR_INIT("CareTeam"), STR_INIT("Care teams") },
    { STR_INIT("ChargeItem"), STR_INIT("Charges") },
    { STR_INIT("Claim"), STR_INIT("Claims sent to your plan") },
    { STR_INIT("ClaimResponse"), STR_INIT("Answers to claims") },
    { STR_INIT("ClinicalImpression"), STR_INIT("Clinical impressions") },
    { STR_INIT("Communication"), STR_INIT("Messages") },
    { STR_INIT("CommunicationRequest"), STR_INIT("Requests for messages") },
    { STR_INIT("Composition"), STR_INIT("Composed documents") },
    { STR_INIT("Condition"), STR_INIT("Conditions and problems") },
    { STR_INIT("Consent"), STR_INIT("Consents") },
    { STR_INIT("Coverage"), STR_INIT("Insurance coverage") },
    { STR_INIT("DetectedIssue"), STR_INIT("Detected issues") },
    { STR_INIT("Device"), STR_INIT("Devices and implants") },
    { STR_INIT("DeviceRequest"), STR_INIT("Orders for devices") },
    { STR_INIT("DeviceUseRequest"), STR_INIT("Orders for devices") },
    { STR_INIT("DeviceUseStatement"), STR_INIT("Use of devices") },
    { STR_INIT("DiagnosticOrder"), STR_INIT("Orders for tests") },
    { STR_INIT("DiagnosticReport"), STR_INIT("Reports of tests and imaging") },
    { STR_INIT("DocumentManifest"), STR_INIT("Sets of documents") },
    { STR_INIT("DocumentReference"), STR_INIT("Notes and documents") },
    { STR_INIT("Encounter"), STR_INIT("Visits") },
    { STR_INIT("EpisodeOfCare"), STR_INIT("Courses of care") },
    { STR_INIT("ExplanationOfBenefit"), STR_INIT("Claims and what was paid") },
    { STR_INIT("FamilyMemberHistory"), STR_INIT("Family history") },
    { STR_INIT("Flag"), STR_INIT("Alerts") },
    { STR_INIT("Goal"), STR_INIT("Goals") },
    { STR_INIT("ImagingManifest"), STR_INIT("Sets of images") },
    { STR_INIT("ImagingStudy"), STR_INIT("Imaging studies") },
    { STR_INIT("Immunization"), STR_INIT("Immunizations") },
    { STR_INIT("ImmunizationRecommendation"),
      STR_INIT("Immunizations recommended") },
    { STR_INIT("List"), STR_INIT("Lists") },
    { STR_INIT("Location"), STR_INIT("Places of care") },
    { STR_INIT("Media"), STR_INIT("Pictures") },
    { STR_INIT("Medication"), STR_INIT("Medicines") },
    { STR_INIT("MedicationAdministration"), STR_INIT("Medicines given") },
    { STR_INIT("MedicationDispense"), STR_INIT("Medicines picked up") },
    { STR_INIT("MedicationOrder"), STR_INIT("Prescriptions") },
    { STR_INIT("MedicationRequest"), STR_INIT("Prescriptions") },
    { STR_INIT("MedicationStatement"), STR_INIT("Medicines taken") },
    { STR_INIT("MolecularSequence"), STR_INIT("Genetic sequences") },
    { STR_INIT("NutritionOrder"), STR_INIT("Diets") },
    { STR_INIT("Observation"), STR_INIT("Lab results and measurements") },
    { STR_INIT("Organization"), STR_INIT("Organizations") },
    { STR_INIT("Patient"), STR_INIT("Your details") },
    { STR_INIT("Practitioner"), STR_INIT("Doctors and other staff") },
    { STR_INIT("PractitionerRole"), STR_INIT("Roles of staff") },
    { STR_INIT("Procedure"), STR_INIT("Procedures") },
    { STR_INIT("ProcedureRequest"), STR_INIT("Orders for procedures") },
    { STR_INIT("Provenance"), STR_INIT("Where records come from") },
    { STR_INIT("QuestionnaireResponse"), STR_INIT("Questionnaires") },
    { STR_INIT("ReferralRequest"), STR_INIT("Referrals") },
    { STR_INIT("RelatedPerson"), STR_INIT("Relatives and carers") },
    { STR_INIT("RequestGroup"), STR_INIT("Groups of orders") },
    { STR_INIT("ResearchSubject"), STR_INIT("Research studies") },
    { STR_INIT("RiskAssessment"), STR_INIT("Risk assessments") },
    { STR_INIT("ServiceRequest"), STR_INIT("Orders and referrals") },
    { STR_INIT("Specimen"), STR_INIT("Samples") },
    { STR_INIT("SupplyDelivery"), STR_INIT("Supplies delivered") },
    { STR_INIT("SupplyRequest"), STR_INIT("Supplies ordered") },
    { STR_INIT("Task"), STR_INIT("Tasks") },
    { STR_INIT("VisionPrescription"), STR_INIT("Glasses and lenses") },
};

struct str record_kind_name(struct str type)
{
    size_t low = 0, high = sizeof kinds / sizeof kinds[0];
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = str_cmp(type, kinds[middle].type);
        if (order == 0)
            return kinds[middle].name;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return type;
}

static const struct {
    struct str status, mark, text;
} states[] = {
    { STR_INIT("waiting"), STR_INIT("wait"), STR_INIT("waiting") },
    { STR_INIT("running"), STR_INIT("run"), STR_INIT("collecting") },
    { STR_INIT("done"), STR_INIT("ok"), STR_INIT("none on file") },
    { STR_INIT("failed"), STR_INIT("bad"), STR_INIT("could not be fetched") },
    { STR_INIT("denied"), STR_INIT("off"), STR_INIT("not shared") },
    { STR_INIT("unsupported"), STR_INIT("off"), STR_INIT("not offered") },
};
#define STATES (sizeof states / sizeof states[0])

static void add_row(struct buf *b, const struct progress_row *row)
{
    size_t i = 0;
    while (i < STATES - 1 && !str_eq(states[i].status, row->status))
        i++;
    HTML(b, "<li class=\"");
    buf_add(b, states[i].mark);
    HTML(b, "\"><span class=\"kind\">");
    html_text(b, record_kind_name(row->type));
    HTML(b, "</span><span class=\"much\">");
    if (row->got > 0) {
        html_i64(b, row->got);
        if (!str_eq(states[i].mark, STR("ok"))) {
            HTML(b, ", ");
            html_text(b, states[i].text);
        }
    } else {
        html_text(b, states[i].text);
    }
    HTML(b, "</span></li>");
}

static bool is_over(const struct page_progress *p)
{
    return str_eq(p->status, STR("done")) || str_eq(p->status, STR("failed"));
}

static size_t count_failed(const struct page_progress *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++)
        n += str_eq(p->rows[i].status, STR("failed"));
    return n;
}

static void add_summary(struct buf *b, const struct page_progress *p)
{
    int64_t got = 0;
    for (size_t i = 0; i < p->n; i++)
        got += p->rows[i].got;
    if (p->total == 0) {
        HTML(b, "Looking at what there is to collect.");
        return;
    }
    buf_add_u64(b, p->done);
    HTML(b, " of ");
    buf_add_u64(b, p->total);
    buf_add(b, p->total == 1 ? STR(" kind of record, ")
                             : STR(" kinds of record, "));
    html_i64(b, got);
    buf_add(b, got == 1 ? STR(" record so far") : STR(" records so far"));
    if (is_over(p))
        buf_cut(b, b->len - STR(" so far").n);
    HTML(b, ".");
}

static struct str headline(const struct page_progress *p)
{
    if (str_eq(p->status, STR("failed")))
        return STR("Connected, but the records could not be collected");
    if (is_over(p))
        return STR("Your records are here");
    return STR("Connected. Collecting your records");
}

/* What a person wants to see: what is there, what moves, what failed. */
static bool is_told(const struct progress_row *row)
{
    return row->got > 0 || str_eq(row->status, STR("running")) ||
           str_eq(row->status, STR("failed"));
}

static void add_rows(struct buf *b, const struct page_progress *p)
{
    size_t quiet = 0;
    HTML(b, "<div id=\"kinds\"><ul class=\"record\">");
    for (size_t i = 0; i < p->n; i++) {
        if (is_told(&p->rows[i]))
            add_row(b, &p->rows[i]);
        else
            quiet++;
    }
    HTML(b, "</ul>");
    if (quiet > 0) {
        HTML(b, "<details><summary>");
        buf_add_u64(b, quiet);
        buf_add(b, is_over(p) ? STR(" with nothing to show")
                              : STR(" waiting or with nothing to show"));
        HTML(b, "</summary><ul class=\"record\">");
        for (size_t i = 0; i < p->n; i++)
            if (!is_told(&p->rows[i]))
                add_row(b, &p->rows[i]);
        HTML(b, "</ul></details>");
    }
    HTML(b, "</div>");
}

static void add_live(struct buf *b, const struct page_progress *p)
{
    HTML(b, "<div id=\"live\"");
    html_attr(b, STR("data-state"), p->status);
    HTML(b, "><h1>");
    html_text(b, headline(p));
    HTML(b, "</h1><p class=\"where\">");
    html_text(b, p->system_name);
    HTML(b, "</p><progress id=\"bar\" aria-labelledby=\"summary\" max=\"");
    buf_add_u64(b, p->total > 0 ? p->total : 1);
    HTML(b, "\" value=\"");
    buf_add_u64(b, p->done);
    HTML(b, "\"></progress><p id=\"summary\" class=\"count\" role=\"status\">");
    add_summary(b, p);
    HTML(b, "</p>");
    add_rows(b, p);
    if (is_over(p) && count_failed(p) > 0)
        HTML(b, "<p class=\"notice\">Some kinds of record could not be fetched "
                "now. They are tried again with the next collection; you need "
                "not do anything.</p>");
    else if (!is_over(p))
        HTML(b, "<p class=\"small\">You may close this page: collecting goes "
                "on without it.</p>");
    HTML(b, "</div>");
}

void page_progress(struct http_response *out, const struct page_progress *p)
{
    struct page layout = { .title = headline(p),
                           .script = is_over(p) ? STR("") : STR("progress.js"),
                           .refresh_s = is_over(p) ? 0 : REFRESH_S };
    page_begin(out, &layout);
    HTML(&out->body, "<section class=\"panel\">");
    add_live(&out->body, p);
    if (p->back_url.n > 0) {
        HTML(&out->body, "<p class=\"actions\"><a class=\"button wide\"");
        html_link(&out->body, STR("href"), p->back_url);
        HTML(&out->body, ">Continue</a></p>");
    }
    HTML(&out->body, "</section>");
    page_end(out, &layout);
}

void page_progress_live(struct http_response *out,
                        const struct page_progress *p)
{
    http_set_type(out, STR("text/html; charset=utf-8"));
    http_set_header(out, STR("Content-Security-Policy"),
                    STR("default-src 'none'; sandbox"));
    add_live(&out->body, p);
}
