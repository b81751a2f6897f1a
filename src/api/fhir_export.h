/* fhir_export.h - $export: what was asked, the manifest, the files.  Contract
 * 7.9, Bulk Data Access IG 2.0. */
#ifndef API_FHIR_EXPORT_H
#define API_FHIR_EXPORT_H

#include "api/fhir.h"
#include "bulk/export.h"

/* The captures of an export's routes stand where other routes have the type:
 * taken off first, so that nobody takes an id for a type. */
enum { EXPORT_CAPTURES = 2 };
MUST_CHECK enum err export_begin(struct http_request *r, struct fhir *f,
                                 struct str captures[EXPORT_CAPTURES]);

/* What the kick-off asks for, policy included.  id: the Group's. */
MUST_CHECK enum err export_read_ask(const struct fhir *f, struct str id,
                                    struct bulk_ask *out);

/* "https://x/bulk-data/r4": of the synchronous kind's files. */
struct str export_sync_base(const struct fhir *f);

/* The name of a file of an export that was asked and answered at once: a
 * signed statement of what it holds (contract 7.9). */
struct str export_file_token(const struct fhir *f, const struct bulk_ask *ask,
                             const struct bulk_total *total);
/* ERR_NOT_FOUND for one that is not ours, or not this caller's; ERR_GONE. */
MUST_CHECK enum err export_open_token(const struct fhir *f, struct str token,
                                      struct bulk_ask *out);

http_handler fhir_export, fhir_export_status, fhir_export_cancel,
    fhir_export_file, fhir_export_sync_file;

#endif
