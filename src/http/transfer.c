/* Design notes: redirects are followed here, not by curl, so that each hop
 * passes the gate and Authorization stays with its first origin. */
#include "http/client_int.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ANSWER_DEFAULT  ((size_t)64 * 1024 * 1024)
#define TIMEOUT_DEFAULT 60000
#define CONNECT_MS      15000L
#define HEADERS_MAX     200

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
    return 0;
}

static size_t on_header(char *data, size_t size, size_t n, void *context)
{
    struct transfer *t = context;
    struct http_call *call = t->call;
    struct str line = { data, size * n }, name;
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
    if (call->answer_headers == NULL)
        return 0;
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

static enum err add_headers(struct transfer *t)
{
    struct http_call *call = t->call;
    bool is_first_origin = str_eq_nocase(t->url.origin, t->first_origin);
    enum err err = add_header(t, STR("Expect"), STR(""));
    for (size_t i = 0; err == OK && i < call->header_count; i++) {
        if (!is_first_origin &&
            str_eq_nocase(call->headers[i].name, STR("Authorization")))
            continue;
        err = add_header(t, call->headers[i].name, call->headers[i].value);
    }
    return err;
}

static void set_method(struct transfer *t)
{
    const struct http_call *call = t->call;
    if (call->method == HTTP_HEAD)
        curl_easy_setopt(t->easy, CURLOPT_NOBODY, 1L);
    if (call->method == HTTP_GET || call->method == HTTP_HEAD)
        return;
    curl_easy_setopt(t->easy, CURLOPT_POST, 1L);
    curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS,
                     call->body.p == NULL ? "" : call->body.p);
    curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     (curl_off_t)call->body.n);
    if (call->method != HTTP_POST)
        curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST,
                         http_method_name(call->method).p);
}

static void set_options(struct transfer *t, const char *url)
{
    const struct http_client_options *o = &t->client->o;
    CURL *e = t->easy;
    int64_t timeout =
        t->call->timeout_ms > 0 ? t->call->timeout_ms : TIMEOUT_DEFAULT;
    curl_easy_setopt(e, CURLOPT_URL, url);
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)timeout);
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

enum err transfer_prepare(struct transfer *t)
{
    struct http_call *call = t->call;
    struct str text = t->hops == 0 ? call->url : call->final_url;
    enum err err = url_parse(text, &t->url);
    if (err != OK)
        return why_of(&call->why, ERR_INVALID, STR("not a URL: "), text);
    err = http_gate_check_url(t->client->o.gate, &t->url, &call->why);
    if (err != OK)
        return err;
    if (t->hops == 0)
        t->first_origin = t->url.origin;
    call->final_url = text;
    call->answer_header_count = 0;
    t->answer =
        BUF_IN(call->arena, call->answer_max_bytes > 0 ? call->answer_max_bytes
                                                       : ANSWER_DEFAULT);
    curl_slist_free_all(t->headers);
    t->headers = NULL;
    err = add_headers(t);
    char *url = arena_cstr(call->arena, text);
    if (err != OK || url == NULL)
        return err != OK ? err : ERR_NOMEM;
    if (t->easy == NULL)
        t->easy = curl_easy_init();
    else
        curl_easy_reset(t->easy);
    if (t->easy == NULL)
        return ERR_NOMEM;
    set_options(t, url);
    set_method(t);
    return OK;
}

static enum err verdict(struct transfer *t, CURLcode code)
{
    struct http_call *call = t->call;
    if (code == CURLE_OK)
        return OK;
    if (t->failed == ERR_DENIED)
        return why_of(&call->why, ERR_DENIED,
                      STR("a private address is not asked: "), t->url.origin);
    if (t->failed != OK)
        return why_of(&call->why, t->failed, STR("too large an answer from "),
                      t->url.origin);
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

bool transfer_finish(struct transfer *t, CURLcode code)
{
    struct http_call *call = t->call;
    long status = 0;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    call->status = (int)status;
    call->err = verdict(t, code);
    if (call->err != OK)
        return false;
    buf_add(&t->answer, STR(""));
    call->answer = (struct str){ t->answer.data, t->answer.len };
    struct str to = http_call_header(call, STR("Location"));
    if (!is_redirect(call->status) || to.n == 0 ||
        t->hops >= call->redirects_max)
        return false;
    struct str next = url_resolve(call->arena, call->final_url, to);
    if (next.p == NULL)
        return false;
    call->final_url = next;
    if (call->status == 303)
        call->method = HTTP_GET;
    t->hops++;
    return true;
}

void transfer_free(struct transfer *t)
{
    if (t == NULL)
        return;
    curl_slist_free_all(t->headers);
    if (t->easy != NULL)
        curl_easy_cleanup(t->easy);
    free(t);
}
