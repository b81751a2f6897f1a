/* ingest.h - contract 8.7: refreshing, standing and revoking of connections
 * without the person; and how an ingest went.
 */
#ifndef API_INGEST_H
#define API_INGEST_H

#include "http/router.h"

http_handler ingest_on_demand;    /* POST /connect/api/on-demand-ingest */
http_handler ingest_token_status; /* GET /connect/api/token-status */
http_handler ingest_revoke;       /* POST, DELETE .../revoke-data-access */
http_handler ingest_status;       /* GET /connect/api/ingest-report */

#endif
