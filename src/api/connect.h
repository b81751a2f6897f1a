/* connect.h - a person's way out to a health system and back (contract 8.3,
 * 8.4, 9.4). */
#ifndef API_CONNECT_H
#define API_CONNECT_H

#include "http/request.h"
#include "http/response.h"

/* A page for those who read HTML, {"success":false,"error":...} for others. */
void family_connect(struct http_request *r, struct http_response *out,
                    enum err err);

/* GET and POST /connect/system/clinical/:id, and /api/clinical/:id: 302 to the
 * system's sign-in; or, with sendRedirectUrlAsResponse=true, its URL as JSON.
 */
enum err connect_to_system(struct http_request *r, struct http_response *out);
/* GET /connect/callback: back from the system, on to the app. */
enum err connect_callback(struct http_request *r, struct http_response *out);

#endif
