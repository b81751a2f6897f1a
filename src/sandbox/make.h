/* make.h - the generator: one invented person's whole record as a FHIR
 * transaction Bundle, natively in DSTU2, STU3 or R4.  Deterministic: the same
 * number and release give the same bytes.
 */
#ifndef SANDBOX_MAKE_H
#define SANDBOX_MAKE_H

#include "base/buf.h"
#include "base/err.h"
#include "fhir/release.h"

/* Adds the Bundle of person `number` to b.  Entries are PUT with ids of their
 * own, references are relative; the Patient comes first.  What b says of
 * memory and limit. */
MUST_CHECK enum err make_bundle(unsigned number, enum release release,
                                struct buf *b);

/* Writes n people in three releases into dir/{dstu2,stu3,r4}/<username>.json.
 */
MUST_CHECK enum err make_files(const char *dir, unsigned n, struct why *w);

#endif
