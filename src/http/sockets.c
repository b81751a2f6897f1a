#include "http/server_int.h"

#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/guard.h"

#define SWEEP_SECONDS 1

/* Under the mutex nobody closes a socket: sockets_remove() comes before. */
static void sweep_once(struct http_sockets *s)
{
    int64_t now = clock_monotonic_ns();
    for (struct http_socket *at = s->first; at != NULL; at = at->next) {
        if (atomic_load(&at->deadline_ns) > now)
            continue;
        shutdown(at->fd, SHUT_RDWR);
        atomic_store(&at->deadline_ns, INT64_MAX);
    }
}

static void *sweep(void *sockets)
{
    struct http_sockets *s = sockets;
    GUARD(&s->mutex);
    while (!s->is_stopping) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += SWEEP_SECONDS;
        pthread_cond_timedwait(&s->changed, &s->mutex, &until);
        sweep_once(s);
    }
    return NULL;
}

enum err sockets_start(struct http_sockets *s)
{
    pthread_condattr_t how;
    pthread_condattr_init(&how);
    pthread_condattr_setclock(&how, CLOCK_MONOTONIC);
    pthread_mutex_init(&s->mutex, NULL);
    pthread_cond_init(&s->changed, &how);
    pthread_condattr_destroy(&how);
    s->has_thread = pthread_create(&s->thread, NULL, sweep, s) == 0;
    return s->has_thread ? OK : ERR_NOMEM;
}

void sockets_stop(struct http_sockets *s)
{
    if (!s->has_thread)
        return;
    {
        GUARD(&s->mutex);
        s->is_stopping = true;
        pthread_cond_signal(&s->changed);
    }
    pthread_join(s->thread, NULL);
    s->has_thread = false;
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->mutex);
}

static void write_peer(char *text, const struct sockaddr *peer)
{
    text[0] = '\0';
    if (peer == NULL)
        return;
    if (peer->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)peer;
        inet_ntop(AF_INET, &in->sin_addr, text, INET6_ADDRSTRLEN);
    } else if (peer->sa_family == AF_INET6) {
        const struct in6_addr *in =
            &((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr;
        if (IN6_IS_ADDR_V4MAPPED(in))
            inet_ntop(AF_INET, in->s6_addr + 12, text, INET6_ADDRSTRLEN);
        else
            inet_ntop(AF_INET6, in, text, INET6_ADDRSTRLEN);
    }
}

struct http_socket *sockets_add(struct http_sockets *s, int fd,
                                const struct sockaddr *peer,
                                int64_t deadline_ns)
{
    struct http_socket *socket = calloc(1, sizeof *socket);
    if (socket == NULL)
        return NULL;
    socket->fd = fd;
    atomic_init(&socket->deadline_ns, deadline_ns);
    write_peer(socket->peer, peer);
    GUARD(&s->mutex);
    socket->next = s->first;
    if (s->first != NULL)
        s->first->prev = socket;
    s->first = socket;
    s->count++;
    return socket;
}

void sockets_remove(struct http_sockets *s, struct http_socket *socket)
{
    if (socket == NULL)
        return;
    {
        GUARD(&s->mutex);
        if (socket->next != NULL)
            socket->next->prev = socket->prev;
        if (socket->prev != NULL)
            socket->prev->next = socket->next;
        else
            s->first = socket->next;
        s->count--;
    }
    free(socket);
}

size_t sockets_count(struct http_sockets *s)
{
    GUARD(&s->mutex);
    return s->count;
}
