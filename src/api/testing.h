/* testing.h - for tests: a real server on a free port, and calls to it.
 *
 *     struct api_test t = api_test_start(routes, n, &services);
 *     struct api_answer a = api_call(&t, "POST", "/x?y=1", "A: b\r\n", "body");
 *     a.status, a.head, a.body; they are good until the next call
 */
#ifndef API_TESTING_H
#define API_TESTING_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/routes.h"
#include "api/services.h"
#include "http/server.h"

struct api_test {
    struct http_server *server;
};

static inline struct api_test api_test_start(const struct http_route *routes,
                                             size_t n, struct services *s)
{
    struct api_test t = { NULL };
    struct http_server_options o = { .address = "127.0.0.1",
                                     .threads = 2,
                                     .workers = 4,
                                     .routes = routes,
                                     .route_count = n,
                                     .family = family_json,
                                     .context = s };
    struct why w = { 0 };
    if (http_server_start(&o, &t.server, &w) != OK) {
        (void)fprintf(stderr, "%s\n", w.text);
        abort();
    }
    s->server = t.server;
    return t;
}

static inline void api_test_stop(struct api_test *t)
{
    http_server_stop(t->server, 5000);
}

struct api_answer {
    int status;
    const char *head, *body;
};

static inline void api_send(int fd, const char *text)
{
    for (size_t left = strlen(text); left > 0;) {
        ssize_t sent = send(fd, text, left, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        text += sent;
        left -= (size_t)sent;
    }
}

/* headers: whole lines, each with CRLF, or ""; body: "" sends no length. */
static inline struct api_answer api_call(const struct api_test *t,
                                         const char *method, const char *target,
                                         const char *headers, const char *body)
{
    static char text[1 << 20];
    static char head[65536];
    struct sockaddr_in to = {
        .sin_family = AF_INET,
        .sin_port = htons(http_server_port(t->server)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
        abort();
    (void)snprintf(head, sizeof head,
                   "%s %s HTTP/1.1\r\nHost: x.test\r\nConnection: close\r\n%s",
                   method, target, headers);
    api_send(fd, head);
    (void)snprintf(head, sizeof head, "Content-Length: %zu\r\n\r\n",
                   strlen(body));
    api_send(fd, body[0] != '\0' ? head : "\r\n");
    api_send(fd, body);
    size_t n = 0;
    ssize_t got = 1;
    while (got > 0 && n < sizeof text - 1) {
        got = recv(fd, text + n, sizeof text - 1 - n, 0);
        n += got > 0 ? (size_t)got : 0;
    }
    close(fd);
    text[n] = '\0';
    struct api_answer a = { 0, text, "" };
    char *end = strstr(text, "\r\n\r\n");
    if (end != NULL) {
        *end = '\0';
        a.body = end + 4;
    }
    if (n > 12)
        a.status =
            (text[9] - '0') * 100 + (text[10] - '0') * 10 + (text[11] - '0');
    return a;
}

#endif
