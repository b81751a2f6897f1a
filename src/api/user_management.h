/* user_management.h - an app's users (contract section 4). */
#ifndef API_USER_MANAGEMENT_H
#define API_USER_MANAGEMENT_H

#include "http/request.h"
#include "http/response.h"

enum err user_management_create(struct http_request *r,
                                struct http_response *out);
enum err user_management_list(struct http_request *r,
                              struct http_response *out);
enum err user_management_update(struct http_request *r,
                                struct http_response *out);
enum err user_management_auth_code(struct http_request *r,
                                   struct http_response *out);

#endif
