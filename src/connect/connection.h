/* connection.h - a person's tie to a health system: who, where, which patient
 * there, how it stands. */
#ifndef CONNECT_CONNECTION_H
#define CONNECT_CONNECTION_H

#include "base/arena.h"
#include "base/err.h"
#include "db/db.h"

struct connection {
    int64_t id;
    int64_t user_id, app_id, system_id;
    struct str fhir_version; /* what was asked: "DSTU2", "STU3", "R4" */
    struct str base_url;     /* of the system's FHIR endpoint used */
    struct str token_url;
    struct str patient_id;    /* the system's own */
    struct str local_patient; /* our Patient's id */
    struct str scope;         /* granted */
    struct str status;        /* "active", "needs_login", "revoked", "failed" */
    int64_t created_ms, last_ingest_ms, expires_ms;
    int64_t tokens_of; /* the connection whose tokens it uses; 0: its own */
};
MUST_CHECK enum err connection_get(struct db *db, int64_t user_id, int64_t id,
                                   struct arena *a, struct connection *out);
MUST_CHECK enum err connection_list(struct db *db, int64_t user_id,
                                    struct arena *a, struct connection **out,
                                    size_t *n);
MUST_CHECK enum err connection_set_status(struct db_session *s, int64_t user_id,
                                          int64_t id, struct str status);
/* An ingest ended well, or the local Patient is known now. */
MUST_CHECK enum err connection_set_ingested(struct db_session *s,
                                            int64_t user_id, int64_t id,
                                            int64_t when_ms);
MUST_CHECK enum err connection_set_patient(struct db_session *s,
                                           int64_t user_id, int64_t id,
                                           struct str local_patient);
/* All of a user's, in the caller's transaction (with vault rows). */
MUST_CHECK enum err connection_erase(struct db_session *s, int64_t user_id);

#endif
