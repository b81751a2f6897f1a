/* gate.h - the outbound gate: what may be asked of the outside (decision 15).
 * https only; private, loopback, link-local and other special addresses are
 * refused, by name before and by resolved address at the socket, unless the
 * operator allowed them.
 */
#ifndef HTTP_GATE_H
#define HTTP_GATE_H

#include <sys/socket.h>

#include "base/err.h"
#include "base/str.h"
#include "base/url.h"

struct http_gate;

/* allow: "127.0.0.1:9000, sandbox.test:443, 10.0.0.0/8, *:*"; entries may use
 * plain http and private addresses.  "" or NULL: none. */
MUST_CHECK enum err http_gate_new(struct str allow, struct http_gate **out,
                                  struct why *w);
void http_gate_free(struct http_gate *g);

/* ERR_DENIED, with why. */
MUST_CHECK enum err http_gate_check_url(const struct http_gate *g,
                                        const struct url *u, struct why *w);
/* Of the address a socket is about to be connected to. */
bool http_gate_allows(const struct http_gate *g, const struct sockaddr *to,
                      struct str host, uint16_t port);

#endif
