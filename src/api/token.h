/* token.h - the OAuth2 token endpoint (contract section 5, RFC 6749). */
#ifndef API_TOKEN_H
#define API_TOKEN_H

#include "http/request.h"
#include "http/response.h"

enum err oauth_token(struct http_request *r, struct http_response *out);
/* Tokens are asked for by POST: 405. */
enum err oauth_token_not_get(struct http_request *r, struct http_response *out);

/* RFC 7009 and RFC 7662, for the app's own tokens. */
enum err oauth_revoke(struct http_request *r, struct http_response *out);
enum err oauth_introspect(struct http_request *r, struct http_response *out);

#endif
