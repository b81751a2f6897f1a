/* response.h - what a handler answers: a whole body, or a stream of parts. */
#ifndef HTTP_RESPONSE_H
#define HTTP_RESPONSE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "http/request.h"

#define HTTP_BODY_MAX ((size_t)256 * 1024 * 1024)

/* Writes the next part of a body into b (any size, about 64 KiB is best);
 * nothing written: the end.  A failure cuts the connection, so that nobody
 * takes half a body for a whole one. */
typedef enum err http_producer(void *context, struct buf *b);

struct http_response {
    int status; /* 200 at start */
    struct http_header headers[24];
    size_t header_count;
    struct buf body;        /* in the request's arena, limit HTTP_BODY_MAX */
    http_producer *produce; /* set: body is ignored */
    void (*produced)(void *context); /* called once, whatever happened */
    void *context;
    struct arena *arena;
    enum err err; /* OK, or what stuck: the answer becomes a 500 */
};

/* Sets a header, in place of one with that name.  Values with CR, LF or NUL
 * are refused: the header is left out and the request fails with 500. */
void http_set_header(struct http_response *r, struct str name,
                     struct str value);
/* Adds one (Set-Cookie). */
void http_add_header(struct http_response *r, struct str name,
                     struct str value);
void http_set_type(struct http_response *r, struct str type);
/* status, Location, no body. */
void http_redirect(struct http_response *r, int status, struct str location);
/* A constant text as body. */
void http_text(struct http_response *r, int status, struct str type,
               struct str text);

/* The usual status of a failure, for families without a table of their own:
 * 404 for ERR_NOT_FOUND, 500 for what the asker cannot mend. */
int http_status_of(enum err err);

#endif
