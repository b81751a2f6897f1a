/* pages.h - the HTML that a person sees (contract 10); what it looks like is
 * ui/'s matter. */
#ifndef API_PAGES_H
#define API_PAGES_H

#include "connect/connect.h"
#include "http/request.h"
#include "http/response.h"

/* "/": what this server is. */
enum err pages_home(struct http_request *r, struct http_response *out);
/* /assets/:tag/:name */
enum err pages_asset(struct http_request *r, struct http_response *out);

/* /search and /connect/marketplace, 10.1: the access token in the query, or
 * none: then it may come to the page by a MessageChannel. */
enum err search_page(struct http_request *r, struct http_response *out);
/* /search/results: the list alone, for the page's script; Bearer. */
enum err search_results(struct http_request *r, struct http_response *out);

/* /connect/:system, 10.3: quick connect. */
enum err connect_page(struct http_request *r, struct http_response *out);

/* /connected: how collecting goes, for the holder of a ticket (?t=) or of an
 * access token (with ?system_id=, when several are connected).  &live=1: only
 * what changes. */
enum err connected_page(struct http_request *r, struct http_response *out);
/* After a connection of an app without a redirect URI: on to /connected with a
 * ticket, or the page that says why not. */
enum err pages_after_connect(struct http_request *r, struct http_response *out,
                             const struct connect_result *result);

/* The page for a failure, with its status: a code of ui/page_failed.c. */
void pages_fail(struct http_request *r, struct http_response *out, enum err err,
                struct str code);

/* Whether who asks is a browser going to a page. */
bool pages_are_wanted(const struct http_request *r);

#endif
