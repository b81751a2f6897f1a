/* token.h - the OAuth2 token endpoint (contract section 5, RFC 6749). */
#ifndef API_TOKEN_H
#define API_TOKEN_H

#include "http/request.h"
#include "http/response.h"

enum err oauth_token(struct http_request *r, struct http_response *out);
/* Tokens are asked for by POST: 405. */
enum err oauth_token_not_get(struct http_request *r, struct http_response *out);

#endif
