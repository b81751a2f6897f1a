/* routes.h - every route: method, path, manner, handler; the table is
 * routes.c, handlers stand in the file that their name says. */
#ifndef API_ROUTES_H
#define API_ROUTES_H

#include "http/router.h"

extern const struct http_route api_routes[];
extern const size_t api_route_count;
/* The same as a router, for requests within requests (Bundle entries); NULL
 * when memory failed. */
const struct http_router *api_router(void);

/* The last word on an answer: of FHIR's, _pretty and the media type that the
 * release has. */
void api_finish(struct http_request *r, struct http_response *out);

/* Which paths any origin may call (contract: CORS). */
bool api_is_cors_open(struct str path);

/* Families: err -> status and body in the shape that the endpoint uses. */
void family_fhir(struct http_request *r, struct http_response *out,
                 enum err err); /* OperationOutcome */
void family_um(struct http_request *r, struct http_response *out,
               enum err err); /* User Management JSON */
void family_oauth(struct http_request *r, struct http_response *out,
                  enum err err); /* RFC 6749 5.2 */
void family_json(struct http_request *r, struct http_response *out,
                 enum err err); /* connect, systems */
void family_page(struct http_request *r, struct http_response *out,
                 enum err err); /* HTML */

#endif
