/* health.h - for operators: is it alive, may it take requests, how is it. */
#ifndef API_HEALTH_H
#define API_HEALTH_H

#include "http/router.h"

http_handler health_alive;   /* GET /health */
http_handler health_ready;   /* GET /ready: 503 until the database answers */
http_handler health_metrics; /* GET /metrics: Prometheus text */

#endif
