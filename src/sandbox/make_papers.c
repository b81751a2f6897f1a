#include "sandbox/make_int.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/base64.h"
#include "base/json.h"

#define PAPER_MAX ((size_t)64 * 1024)

struct paper {
    const char *type; /* media type */
    const char *title, *loinc, *kind;
    struct str bytes;
    bool is_inline;
};

static void add(struct buf *b, const char *text)
{
    buf_add(b, str_of(text));
}

static void write_note(struct make *m, const struct illness *reason,
                       struct buf *b)
{
    char name[64];
    add(b, "VISIT NOTE\n\nPatient: ");
    add(b, m->person.given);
    add(b, " ");
    add(b, m->person.family);
    add(b, " (");
    add(b, m->person.mrn);
    add(b, ")\nSeen by: ");
    add(b, make_doctor_name(m->doctor_row, name));
    add(b, ", ");
    add(b, make_clinic_name(m->clinic_row));
    add(b, "\n\nReason: ");
    add(b, reason != NULL ? reason->display : "Annual examination");
    add(b, ".\nCourse: vital signs taken and recorded, medication reviewed, "
           "questions answered.\nPlan: return in twelve months, sooner if "
           "symptoms change.\n");
}

/* The smallest C-CDA that says whose it is. */
static void write_ccda(struct make *m, struct buf *b)
{
    add(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
           "<ClinicalDocument xmlns=\"urn:hl7-org:v3\">"
           "<typeId root=\"2.16.840.1.113883.1.3\" "
           "extension=\"POCD_HD000040\"/>"
           "<templateId root=\"2.16.840.1.113883.10.20.22.1.2\"/>"
           "<title>Continuity of Care Document</title>"
           "<recordTarget><patientRole><id extension=\"");
    add(b, m->person.mrn);
    add(b, "\" root=\"2.16.840.1.113883.19.5\"/><patient><name><given>");
    add(b, m->person.given);
    add(b, "</given><family>");
    add(b, m->person.family);
    add(b, "</family></name></patient></patientRole></recordTarget>"
           "<component><structuredBody>");
    for (unsigned i = 0; i < m->person.illness_count; i++) {
        const struct illness *ill = clinic_illness(m->person.illnesses[i]);
        add(b, "<component><section><title>Problem</title><text>");
        add(b, ill->display);
        add(b, "</text></section></component>");
    }
    add(b, "</structuredBody></component></ClinicalDocument>\n");
}

/* A one-page PDF with its offsets in order. */
static void write_pdf(struct make *m, struct buf *b)
{
    size_t at[6] = { 0 };
    char text[200];
    int n = snprintf(text, sizeof text,
                     "BT /F1 18 Tf 72 720 Td (After-visit summary) Tj 0 -28 Td "
                     "/F1 11 Tf (Record %s, visit %u) Tj ET",
                     m->person.mrn, m->visit_number);
    add(b, "%PDF-1.4\n");
    at[1] = b->len;
    add(b, "1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n");
    at[2] = b->len;
    add(b, "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n");
    at[3] = b->len;
    add(b, "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 "
           "0 R/Resources<</Font<</F1 5 0 R>>>>>>endobj\n");
    at[4] = b->len;
    add(b, "4 0 obj<</Length ");
    buf_add_i64(b, n);
    add(b, ">>stream\n");
    add(b, text);
    add(b, "\nendstream endobj\n");
    at[5] = b->len;
    add(b, "5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n");
    size_t table = b->len;
    add(b, "xref\n0 6\n0000000000 65535 f \n");
    for (int i = 1; i < 6; i++) {
        (void)snprintf(text, sizeof text, "%010zu 00000 n \n", at[i]);
        add(b, text);
    }
    add(b, "trailer<</Size 6/Root 1 0 R>>\nstartxref\n");
    buf_add_u64(b, table);
    add(b, "\n%%EOF\n");
}

static void data_member(struct make *m, const char *key, struct str bytes)
{
    AUTO_ARENA a = ARENA(4 * PAPER_MAX);
    struct str text = base64_encode(&a, bytes);
    if (text.p == NULL)
        text = STR("");
    json_member(m->b, str_of(key), text);
}

static struct make_id binary(struct make *m, const struct paper *p)
{
    struct make_id id = make_new_id(m, "binary");
    make_begin(m, "Binary", &id);
    make_text(m, "contentType", p->type);
    data_member(m, m->release == R4 ? "data" : "content", p->bytes);
    make_end(m);
    return id;
}

static void attachment(struct make *m, const struct paper *p,
                       const struct make_id *at)
{
    make_list(m, "content");
    make_open(m, NULL);
    make_open(m, "attachment");
    make_text(m, "contentType", p->type);
    if (p->is_inline) {
        data_member(m, "data", p->bytes);
    } else {
        char url[64];
        (void)snprintf(url, sizeof url, "Binary/%s", at->text);
        make_text(m, "url", url);
    }
    make_whole(m, "size", (int64_t)p->bytes.n);
    make_text(m, "title", p->title);
    make_close(m);
    make_close(m);
    make_list_end(m);
}

static void document(struct make *m, const struct paper *p)
{
    struct make_id at = { "" };
    if (!p->is_inline)
        at = binary(m, p);
    struct make_id id = make_new_id(m, "document");
    make_begin(m, "DocumentReference", &id);
    make_text(m, "status", "current");
    make_concept(m, "type", LOINC, p->loinc, p->kind);
    if (m->release == R4)
        make_concepts(m, "category",
                      "http://hl7.org/fhir/us/core/CodeSystem/"
                      "us-core-documentreference-category",
                      "clinical-note", "Clinical Note");
    make_subject(m, "subject");
    make_time(m, m->release == R4 ? "date" : "indexed", m->day, m->minute + 60);
    make_list(m, "author");
    make_doctor(m, NULL);
    make_list_end(m);
    attachment(m, p, &at);
    make_open(m, "context");
    if (m->release == R4)
        make_list(m, "encounter");
    make_ref(m, m->release == R4 ? NULL : "encounter", "Encounter", &m->visit,
             NULL);
    if (m->release == R4)
        make_list_end(m);
    make_close(m);
    make_end(m);
}

/* A note at every visit; a summary in XML and a PDF now and then. */
void make_documents(struct make *m, const struct illness *reason)
{
    AUTO_BUF note = BUF(PAPER_MAX);
    write_note(m, reason, &note);
    document(m, &(struct paper){ "text/plain",
                                 "Visit note",
                                 "11506-3",
                                 "Progress note",
                                 { note.data, note.len },
                                 false });
    if (m->visit_number % 4 == 0) {
        AUTO_BUF ccda = BUF(PAPER_MAX);
        write_ccda(m, &ccda);
        document(m, &(struct paper){ "application/xml",
                                     "Summary of care",
                                     "34133-9",
                                     "Summary of episode note",
                                     { ccda.data, ccda.len },
                                     false });
    }
    if (m->visit_number % 5 == 0) {
        AUTO_BUF pdf = BUF(PAPER_MAX);
        write_pdf(m, &pdf);
        document(m, &(struct paper){ "application/pdf",
                                     "After-visit summary",
                                     "69981-9",
                                     "After-visit summary",
                                     { pdf.data, pdf.len },
                                     m->visit_number % 2 == 0 });
    }
}
