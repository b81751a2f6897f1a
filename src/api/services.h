/* services.h - what handlers may use: request->server_context is one of these.
 * Made by app/, immutable while serving. */
#ifndef API_SERVICES_H
#define API_SERVICES_H

#include <stdint.h>

#include "base/str.h"

struct services {
    struct str public_base; /* "https://x.test", no trailing '/' */
    struct str version;
    int64_t started_ms;
    struct db *db;
    struct store *store;
    struct tokens *tokens;
    struct shares *shares;
    struct audit *audit;
    struct jobs *jobs;
    struct vault *vault;
    struct connect *connect;
    struct ingest *ingest;
    struct exports *exports;
    struct subscriptions *subscriptions;
    struct http_client *client;
    struct http_server *server;
    struct rate *um_rate;      /* User Management: by app */
    struct rate *failure_rate; /* wrong secrets: by address */
    const struct seal *seal;
};

#endif
