/* Design notes: redirects are followed here, not by curl, so that each hop
 * passes the gate and Authorization stays with its first origin. */
#include "http/client_int.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/json.h"

#define ANSWER_DEFAULT  ((size_t)64 * 1024 * 1024)
#define TIMEOUT_DEFAULT 60000
#define CONNECT_MS      15000L
#define HEADERS_MAX     200
#define HEADER_BYTES    ((size_t)256 * 1024) /* of one answer */
#define KEPT_ANSWER     ((size_t)1024 * 1024)
#define HOPS_MAX        10u

struct str http_call_header(const struct http_call *call, struct str name)
{
    for (size_t i = 0; i < call->answer_header_count; i++)
        if (str_eq_nocase(call->answer_headers[i].name, name))
            return call->answer_headers[i].value;
    return STR_NONE;
}

void http_call_add_header(struct http_call *call, struct str name,
                          struct str value)
{
    if (call->header_count < HTTP_CALL_HEADERS_MAX)
        call->headers[call->header_count++] =
            (struct http_header){ name, value };
}

static size_t on_body(char *data, size_t size, size_t n, void *context)
{
    struct transfer *t = context;
    buf_add(&t->answer, (struct str){ data, size * n });
    if (t->answer.err == OK)
        return size * n;
    t->failed = t->answer.err == ERR_LIMIT ? ERR_TOO_LARGE : t->answer.err;
    return 0; /* curl ends the transfer */
}

static size_t on_header(char *data, size_t size, size_t n, void *context)
{
    struct transfer *t = context;
    struct http_call *call = t->call;
    struct str line = { data, size * n }, name;
    t->header_bytes += line.n;
    if (t->header_bytes > HEADER_BYTES) {
        t->failed = ERR_TOO_LARGE;
        return 0;
    }
    if (str_starts(line, STR("HTTP/"))) { /* a new answer (100, then 200) */
        call->answer_header_count = 0;
        return size * n;
    }
    struct str rest = line;
    if (!str_cut(&rest, ':', &name) || rest.p == NULL ||
        call->answer_header_count == HEADERS_MAX)
        return size * n;
    if (call->answer_headers == NULL)
        call->answer_headers = arena_zalloc(call->arena, HEADERS_MAX,
                                            sizeof *call->answer_headers);
    if (call->answer_headers == NULL) {
        t->failed = arena_err(call->arena);
        return 0;
    }
    call->answer_headers[call->answer_header_count++] = (struct http_header){
        arena_str(call->arena, str_trim(name)),
        arena_str(call->arena, str_trim(rest)),
    };
    return size * n;
}

/* The gate's last word: the address that the name became. */
static curl_socket_t on_socket(void *context, curlsocktype purpose,
                               struct curl_sockaddr *address)
{
    struct transfer *t = context;
    (void)purpose;
    if (!http_gate_allows(t->client->o.gate, &address->addr, t->url.host,
                          t->url.port)) {
        t->failed = ERR_DENIED;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC,
                  address->protocol);
}

static enum err add_header(struct transfer *t, struct str name,
                           struct str value)
{
    char *line = arena_cstr(t->call->arena,
                            arena_cat(t->call->arena, name, STR(": "), value));
    if (line == NULL)
        return arena_err(t->call->arena);
    if (strpbrk(line, "\r\n") != NULL)
        return why(&t->call->why, ERR_INVALID, "a header holds a line break");
    struct curl_slist *more = curl_slist_append(t->headers, line);
    if (more == NULL)
        return ERR_NOMEM;
    t->headers = more;
    return OK;
}

/* Whether a header goes with this hop: who we are is told to the first origin
 * only, and a body that stays here takes its type with it. */
static bool goes_with(const struct transfer *t, struct str name)
{
    if (str_eq_nocase(name, STR("Authorization")) ||
        str_eq_nocase(name, STR("Cookie")))
        return url_same_origin(&t->url, &t->first);
    return t->has_body || !str_eq_nocase(name, STR("Content-Type"));
}

static enum err add_headers(struct transfer *t)
{
    struct http_call *call = t->call;
    enum err err = add_header(t, STR("Expect"), STR(""));
    for (size_t i = 0; err == OK && i < call->header_count; i++)
        if (goes_with(t, call->headers[i].name))
            err = add_header(t, call->headers[i].name, call->headers[i].value);
    return err;
}

static void set_method(struct transfer *t)
{
    const struct http_call *call = t->call;
    if (t->method == HTTP_HEAD)
        curl_easy_setopt(t->easy, CURLOPT_NOBODY, 1L);
    if (t->has_body) {
        curl_easy_setopt(t->easy, CURLOPT_POST, 1L);
        curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS,
                         call->body.p == NULL ? "" : call->body.p);
        curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE,
                         (curl_off_t)call->body.n);
    }
    if (t->method != HTTP_POST && t->method != HTTP_GET &&
        t->method != HTTP_HEAD)
        curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST,
                         http_method_name(t->method).p);
}

/* Of the whole call, all hops; at least 1. */
static int64_t left_ms(const struct transfer *t)
{
    int64_t timeout_ms =
        t->call->timeout_ms > 0 ? t->call->timeout_ms : TIMEOUT_DEFAULT;
    int64_t gone_ms = (clock_monotonic_ns() - t->started_ns) / 1000000;
    return gone_ms < timeout_ms ? timeout_ms - gone_ms : 1;
}

static void set_options(struct transfer *t, const char *url)
{
    const struct http_client_options *o = &t->client->o;
    CURL *e = t->easy;
    bool is_https = url_is_https(&t->url);
    curl_easy_setopt(e, CURLOPT_URL, url);
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, is_https ? "https" : "http");
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)left_ms(t));
    curl_easy_setopt(e, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)t->answer.limit);
    curl_easy_setopt(e, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(e, CURLOPT_PIPEWAIT, 1L);
    curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(e, CURLOPT_USERAGENT,
                     o->user_agent == NULL ? "Tributary" : o->user_agent);
    if (o->ca_file != NULL)
        curl_easy_setopt(e, CURLOPT_CAINFO, o->ca_file);
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->problem);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_socket);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, t);
    curl_easy_setopt(e, CURLOPT_HTTPHEADER, t->headers);
    curl_easy_setopt(e, CURLOPT_PRIVATE, t);
}

static enum err prepare_easy(struct transfer *t, struct str text)
{
    curl_slist_free_all(t->headers);
    t->headers = NULL;
    enum err err = add_headers(t);
    char *url = arena_cstr(t->call->arena, text);
    if (err != OK || url == NULL)
        return err != OK ? err : ERR_NOMEM;
    if (t->easy == NULL)
        t->easy = curl_easy_init();
    else
        curl_easy_reset(t->easy);
    if (t->easy == NULL)
        return ERR_NOMEM;
    t->problem[0] = '\0';
    set_options(t, url);
    set_method(t);
    return OK;
}

enum err transfer_prepare(struct transfer *t)
{
    struct http_call *call = t->call;
    struct str text = call->final_url;
    enum err err = url_parse(text, &t->url);
    if (err != OK)
        return why_of(&call->why, ERR_INVALID, STR("not a URL: "), text);
    err = http_gate_check_url(t->client->o.gate, &t->url, &call->why);
    if (err != OK)
        return err;
    if (t->hops == 0) {
        t->first = t->url;
        t->method = call->method;
        t->has_body = t->method != HTTP_GET && t->method != HTTP_HEAD &&
                      (t->method != HTTP_DELETE || call->body.n > 0);
    }
    call->answer_header_count = 0;
    t->header_bytes = 0;
    buf_cut(&t->answer, 0);
    t->answer.limit =
        call->answer_max_bytes > 0 ? call->answer_max_bytes : ANSWER_DEFAULT;
    return prepare_easy(t, text);
}

static enum err verdict(struct transfer *t, CURLcode code)
{
    struct http_call *call = t->call;
    if (code == CURLE_OK)
        return OK;
    if (t->failed == ERR_DENIED)
        return why_of(&call->why, ERR_DENIED,
                      STR("a private address is not asked: "), t->url.origin);
    if (t->failed == ERR_TOO_LARGE || code == CURLE_FILESIZE_EXCEEDED)
        return why_of(&call->why, ERR_TOO_LARGE,
                      STR("too large an answer from "), t->url.origin);
    if (t->failed != OK)
        return t->failed;
    if (t->is_cancelled)
        return ERR_STOPPING;
    enum err err = code == CURLE_OPERATION_TIMEDOUT ? ERR_TIMEOUT
                   : code == CURLE_OUT_OF_MEMORY    ? ERR_NOMEM
                                                    : ERR_UPSTREAM;
    return why_of(
        &call->why, err, t->url.origin, STR(": "),
        str_of(t->problem[0] != '\0' ? t->problem : curl_easy_strerror(code)));
}

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 ||
           status == 308;
}

/* What the next hop sends (RFC 9110 section 15.4): a POST becomes a GET but
 * for 307 and 308, which may not carry it to another origin. */
static bool may_follow(struct transfer *t, const struct url *to)
{
    int status = t->call->status;
    bool is_safe = t->method == HTTP_GET || t->method == HTTP_HEAD;
    if (status == 307 || status == 308)
        return is_safe || url_same_origin(to, &t->url);
    if (status == 303 || t->method == HTTP_POST) {
        t->method = t->method == HTTP_HEAD ? HTTP_HEAD : HTTP_GET;
        t->has_body = false;
        return true;
    }
    return is_safe || url_same_origin(to, &t->url);
}

/* Whether there is another hop to do; it is then call->final_url. */
static bool follow(struct transfer *t)
{
    struct http_call *call = t->call;
    struct str to = http_call_header(call, STR("Location"));
    struct url url;
    if (!is_redirect(call->status) || to.n == 0 || call->redirects_max == 0)
        return false;
    struct str next = url_resolve(call->arena, call->final_url, to);
    if (next.p == NULL || url_parse(next, &url) != OK)
        return false;
    if (t->hops >= call->redirects_max || t->hops >= HOPS_MAX) {
        call->err = why_of(&call->why, ERR_UPSTREAM, t->first.origin,
                           STR(" redirects too often"));
        return false;
    }
    if (url_is_https(&t->url) && !url_is_https(&url)) {
        call->err = why_of(&call->why, ERR_DENIED, t->url.origin,
                           STR(" redirects away from https"));
        return false;
    }
    if (!may_follow(t, &url))
        return false;
    call->final_url = next;
    t->hops++;
    return true;
}

/* The answer into the call's arena, with room for json_parse_in_place(). */
static enum err keep_answer(struct transfer *t)
{
    struct http_call *call = t->call;
    size_t n = t->answer.len;
    char *text = arena_alloc(call->arena, n + JSON_PADDING);
    if (text == NULL)
        return arena_err(call->arena) == ERR_LIMIT ? ERR_TOO_LARGE : ERR_NOMEM;
    if (n > 0)
        memcpy(text, t->answer.data, n);
    memset(text + n, 0, JSON_PADDING);
    call->answer = (struct str){ text, n };
    return OK;
}

bool transfer_finish(struct transfer *t, CURLcode code)
{
    struct http_call *call = t->call;
    long status = 0;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    call->status = (int)status;
    call->err = verdict(t, code);
    if (call->err != OK || follow(t))
        return call->err == OK;
    if (call->err == OK)
        call->err = keep_answer(t);
    return false;
}

void transfer_reset(struct transfer *t)
{
    curl_slist_free_all(t->headers);
    struct buf answer = t->answer;
    if (answer.len > 0) /* tokens and records do not linger */
        explicit_bzero(answer.data, answer.len);
    if (answer.room > KEPT_ANSWER)
        buf_fini(&answer);
    buf_cut(&answer, 0);
    answer.err = OK;
    *t = (struct transfer){ .easy = t->easy, .answer = answer };
}

void transfer_free(struct transfer *t)
{
    if (t == NULL)
        return;
    curl_slist_free_all(t->headers);
    if (t->easy != NULL)
        curl_easy_cleanup(t->easy);
    buf_fini(&t->answer);
    free(t);
}
