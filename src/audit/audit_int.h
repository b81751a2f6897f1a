/* audit_int.h - accesses that wait to be written. */
#ifndef AUDIT_AUDIT_INT_H
#define AUDIT_AUDIT_INT_H

#include "audit/audit.h"

#define AUDIT_PEER_MAX 48 /* an IPv6 address and its NUL; no padding behind */

/* One row of access_audit; all but the last three make its key. */
struct audit_row {
    int64_t user_id, minute, app_id;
    char interaction;
    uint8_t kind;
    uint16_t type;
    int32_t status;
    char peer[AUDIT_PEER_MAX];
    int64_t calls, first_ms, last_ms;
};

/* Adds the counts of n rows, in the caller's transaction. */
MUST_CHECK enum err audit_rows_add(struct db_session *s,
                                   const struct audit_row *rows, size_t n);

/* audit_step.c: renders the AuditEvent and stores it. */
MUST_CHECK enum err audit_step_write(struct store *store,
                                     const struct audit_step *step);

#endif
