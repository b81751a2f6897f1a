#include "http/gate.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES_MAX 64
#define NAME_MAX_   256

struct allowed {
    char host[NAME_MAX_]; /* name, address, or "" for a network, "*" any */
    uint16_t port;        /* 0: any */
    struct in_addr network;
    unsigned bits; /* of a network; 0 with host "" is no entry */
    bool is_network;
};

struct http_gate {
    struct allowed allowed[ENTRIES_MAX];
    size_t n;
};

static bool parse_network(struct str text, struct allowed *out)
{
    char address[64];
    uint64_t bits;
    size_t slash = str_find(text, '/');
    if (slash == text.n || slash >= sizeof address ||
        !str_to_u64(str_from(text, slash + 1), &bits) || bits > 32)
        return false;
    memcpy(address, text.p, slash);
    address[slash] = '\0';
    if (inet_pton(AF_INET, address, &out->network) != 1)
        return false;
    out->bits = (unsigned)bits;
    out->is_network = true;
    return true;
}

static bool parse_entry(struct str text, struct allowed *out)
{
    if (parse_network(text, out))
        return true;
    size_t colon = str_rfind(text, ':');
    struct str host = str_slice(text, 0, colon);
    struct str port = str_from(text, colon + 1);
    uint64_t number = 0;
    if (port.n > 0 && !str_eq(port, STR("*")) &&
        (!str_to_u64(port, &number) || number > 65535))
        return false;
    if (host.n == 0 || host.n >= sizeof out->host)
        return false;
    memcpy(out->host, host.p, host.n);
    out->host[host.n] = '\0';
    out->port = (uint16_t)number;
    return true;
}

enum err http_gate_new(struct str allow, struct http_gate **out, struct why *w)
{
    struct http_gate *g = calloc(1, sizeof *g);
    struct str one;
    if (g == NULL)
        return ERR_NOMEM;
    while (allow.n > 0 && str_cut(&allow, ',', &one)) {
        one = str_trim(one);
        if (one.n == 0)
            continue;
        if (g->n == ENTRIES_MAX || !parse_entry(one, &g->allowed[g->n])) {
            http_gate_free(g);
            return why_of(w, ERR_INVALID,
                          STR("outbound-allow: not host:port "
                              "or network/bits: "),
                          one);
        }
        g->n++;
    }
    *out = g;
    return OK;
}

void http_gate_free(struct http_gate *g)
{
    free(g);
}

static bool in_network(const struct allowed *a, struct in_addr address)
{
    uint32_t mask = a->bits == 0 ? 0 : UINT32_MAX << (32 - a->bits);
    return ((ntohl(address.s_addr) ^ ntohl(a->network.s_addr)) & mask) == 0;
}

static bool name_allowed(const struct http_gate *g, struct str host,
                         uint16_t port)
{
    for (size_t i = 0; i < g->n; i++) {
        const struct allowed *a = &g->allowed[i];
        if (!a->is_network && (a->port == 0 || a->port == port) &&
            (str_eq(str_of(a->host), STR("*")) ||
             str_eq_nocase(str_of(a->host), host)))
            return true;
    }
    return false;
}

static bool address_allowed(const struct http_gate *g, struct in_addr address)
{
    for (size_t i = 0; i < g->n; i++)
        if (g->allowed[i].is_network && in_network(&g->allowed[i], address))
            return true;
    return false;
}

/* Special-purpose addresses (RFC 6890): none of them is a health system. */
static bool is_special_v4(struct in_addr address)
{
    static const struct {
        uint32_t network;
        unsigned bits;
    } special[] = {
        { 0x00000000, 8 },  { 0x0a000000, 8 },  { 0x64400000, 10 },
        { 0x7f000000, 8 },  { 0xa9fe0000, 16 }, { 0xac100000, 12 },
        { 0xc0000000, 24 }, { 0xc0000200, 24 }, { 0xc0586300, 24 },
        { 0xc0a80000, 16 }, { 0xc6120000, 15 }, { 0xc6336400, 24 },
        { 0xcb007100, 24 }, { 0xe0000000, 4 },  { 0xf0000000, 4 },
    };
    uint32_t a = ntohl(address.s_addr);
    for (size_t i = 0; i < sizeof special / sizeof special[0]; i++)
        if (((a ^ special[i].network) >> (32 - special[i].bits)) == 0)
            return true;
    return false;
}

/* Only global unicast 2000::/3, without the parts that embed or document
 * other addresses. */
static bool is_special_v6(const struct in6_addr *a)
{
    const uint8_t *b = a->s6_addr;
    bool is_global = (b[0] & 0xe0) == 0x20;
    bool is_embedding = b[0] == 0x20 && b[1] == 0x02;            /* 6to4 */
    bool is_protocol = b[0] == 0x20 && b[1] == 0x01 && b[2] < 2; /* Teredo.. */
    bool is_documentation =
        b[0] == 0x20 && b[1] == 0x01 && b[2] == 0x0d && b[3] == 0xb8;
    return !is_global || is_embedding || is_protocol || is_documentation;
}

bool http_gate_allows(const struct http_gate *g, const struct sockaddr *to,
                      struct str host, uint16_t port)
{
    if (name_allowed(g, host, port))
        return true;
    if (to->sa_family == AF_INET) {
        struct in_addr a =
            ((const struct sockaddr_in *)(const void *)to)->sin_addr;
        return !is_special_v4(a) || address_allowed(g, a);
    }
    if (to->sa_family != AF_INET6)
        return false;
    const struct in6_addr *a =
        &((const struct sockaddr_in6 *)(const void *)to)->sin6_addr;
    if (!IN6_IS_ADDR_V4MAPPED(a))
        return !is_special_v6(a);
    struct in_addr v4;
    memcpy(&v4, a->s6_addr + 12, sizeof v4);
    return !is_special_v4(v4) || address_allowed(g, v4);
}

enum err http_gate_check_url(const struct http_gate *g, const struct url *u,
                             struct why *w)
{
    char host[NAME_MAX_];
    struct in_addr address;
    if (name_allowed(g, u->host, u->port))
        return OK;
    if (u->host.n < sizeof host) {
        memcpy(host, u->host.p, u->host.n);
        host[u->host.n] = '\0';
        if (inet_pton(AF_INET, host, &address) == 1 &&
            address_allowed(g, address))
            return OK;
    }
    if (!url_is_https(u))
        return why_of(w, ERR_DENIED, STR("only https is asked: "), u->origin);
    if (url_is_loopback(u))
        return why_of(w, ERR_DENIED, STR("a private address is not asked: "),
                      u->origin);
    return OK;
}
