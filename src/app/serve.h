/* serve.h - the whole server, wired: everything is made here, handed to the
 * handlers as one struct services, and stopped in the opposite order.
 */
#ifndef APP_SERVE_H
#define APP_SERVE_H

#include "app/config.h"

struct serve;
/* Opens the database, starts the workers and listens. */
MUST_CHECK enum err serve_start(const struct config *config, struct arena *a,
                                struct serve **out, struct why *w);
/* Requests in flight finish, jobs are handed back, the database closes. */
void serve_stop(struct serve *s);
uint16_t serve_port(const struct serve *s);

#endif
