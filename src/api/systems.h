/* systems.h - the directory to programs (contract 8.1, 8.2, 8.5 and 9): lists,
 * search, by postal code.  A system without client credentials says
 * "not_configured" in its status.
 */
#ifndef API_SYSTEMS_H
#define API_SYSTEMS_H

#include "http/request.h"
#include "http/response.h"

/* {"success":false,"message":...}; the sentence of a 401 is the contract's. */
void family_systems(struct http_request *r, struct http_response *out,
                    enum err err);

/* 8.1: with client keys a bare array, all of it or 20 from offset; with an
 * access token in a browser, on to the search page. */
enum err systems_clinical(struct http_request *r, struct http_response *out);
/* 8.2: no devices. */
enum err systems_device(struct http_request *r, struct http_response *out);
/* 8.5: a Bundle of Organization. */
enum err systems_provider(struct http_request *r, struct http_response *out);
/* 9.1 */
enum err systems_search(struct http_request *r, struct http_response *out);
/* 9.2 */
enum err systems_by_zip(struct http_request *r, struct http_response *out);
/* 9.3 */
enum err systems_all(struct http_request *r, struct http_response *out);

#endif
