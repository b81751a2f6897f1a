#include "http/gate.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* Design notes.  All addresses are IPv6 here, IPv4 as ::ffff:a.b.c.d; what
 * wraps an IPv4 address (mapped, NAT64, 6to4) is judged by the one inside. */

#define ENTRIES_MAX    64
#define HOST_BYTES_MAX 256 /* a name of DNS has at most 253 */

struct network {
    struct in6_addr address;
    unsigned bits;
};

struct allowed {
    char host[HOST_BYTES_MAX]; /* "*": any; "": the network counts */
    uint16_t port;             /* 0: any */
    struct network network;
};

struct http_gate {
    struct allowed allowed[ENTRIES_MAX];
    size_t n;
};

/* Special-purpose networks (RFC 6890 and the registries after it), and all of
 * IPv6 but 2000::/3: none of them is a health system. */
static const struct {
    const char *address;
    unsigned bits;
} special_v4[] = {
    { "0.0.0.0", 8 },       { "10.0.0.0", 8 },     { "100.64.0.0", 10 },
    { "127.0.0.0", 8 },     { "169.254.0.0", 16 }, { "172.16.0.0", 12 },
    { "192.0.0.0", 24 },    { "192.0.2.0", 24 },   { "192.88.99.0", 24 },
    { "192.168.0.0", 16 },  { "198.18.0.0", 15 },  { "198.51.100.0", 24 },
    { "203.0.113.0", 24 },  { "224.0.0.0", 4 },    { "240.0.0.0", 4 },
}, special_v6[] = {
    { "2001::", 23 },     /* Teredo, ORCHID, benchmarking */
    { "2001:db8::", 32 }, /* documentation */
    { "3fff::", 20 },     /* documentation */
};

static struct in6_addr mapped(struct in_addr v4)
{
    struct in6_addr a = { .s6_addr = { [10] = 0xff, [11] = 0xff } };
    memcpy(a.s6_addr + 12, &v4, sizeof v4);
    return a;
}

static bool is_in(const struct in6_addr *a, const struct network *n)
{
    unsigned whole = n->bits / 8, rest = n->bits % 8;
    if (memcmp(a->s6_addr, n->address.s6_addr, whole) != 0)
        return false;
    unsigned differing = a->s6_addr[whole < 16 ? whole : 15] ^
                         n->address.s6_addr[whole < 16 ? whole : 15];
    return rest == 0 || differing >> (8 - rest) == 0;
}

/* An address as text, in any of the forms that resolvers know: 127.1, 0x7f.1,
 * 2130706433, ::1. */
static bool parse_address(struct str text, struct in6_addr *out)
{
    char copy[INET6_ADDRSTRLEN];
    struct in_addr v4;
    if (text.n == 0 || text.n >= sizeof copy)
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    if (inet_pton(AF_INET6, copy, out) == 1)
        return true;
    if (inet_aton(copy, &v4) == 0)
        return false;
    *out = mapped(v4);
    return true;
}

/* The IPv4 address inside a, when there is one. */
static bool inner_v4(const struct in6_addr *a, struct in6_addr *out)
{
    static const uint8_t nat64[12] = { 0x00, 0x64, 0xff, 0x9b };
    struct in_addr v4;
    if (memcmp(a->s6_addr, nat64, sizeof nat64) == 0)
        memcpy(&v4, a->s6_addr + 12, sizeof v4);
    else if (a->s6_addr[0] == 0x20 && a->s6_addr[1] == 0x02)
        memcpy(&v4, a->s6_addr + 2, sizeof v4);
    else
        return false;
    *out = mapped(v4);
    return true;
}

static bool is_special_v4(const struct in6_addr *a)
{
    for (size_t i = 0; i < sizeof special_v4 / sizeof special_v4[0]; i++) {
        struct in_addr v4;
        inet_pton(AF_INET, special_v4[i].address, &v4);
        struct network n = { mapped(v4), special_v4[i].bits + 96 };
        if (is_in(a, &n))
            return true;
    }
    return false;
}

static bool is_special(const struct in6_addr *a)
{
    struct in6_addr inner;
    if (IN6_IS_ADDR_V4MAPPED(a))
        return is_special_v4(a);
    if (inner_v4(a, &inner))
        return is_special_v4(&inner);
    if ((a->s6_addr[0] & 0xe0) != 0x20)
        return true;
    for (size_t i = 0; i < sizeof special_v6 / sizeof special_v6[0]; i++) {
        struct network n = { .bits = special_v6[i].bits };
        inet_pton(AF_INET6, special_v6[i].address, &n.address);
        if (is_in(a, &n))
            return true;
    }
    return false;
}

static bool parse_network(struct str text, struct network *out)
{
    uint64_t bits;
    size_t slash = str_find(text, '/');
    struct str address = str_slice(text, 0, slash);
    if (slash == text.n || !parse_address(address, &out->address) ||
        !str_to_u64(str_from(text, slash + 1), &bits))
        return false;
    uint64_t shift = IN6_IS_ADDR_V4MAPPED(&out->address) ? 96 : 0;
    if (bits + shift > 128 || bits > 128)
        return false;
    out->bits = (unsigned)(bits + shift);
    return true;
}

/* name, name:port, [v6]:port, network/bits */
static bool parse_entry(struct str text, struct allowed *out)
{
    if (parse_network(text, &out->network))
        return true;
    bool is_v6 = text.p[0] == '[';
    size_t end = is_v6 ? str_find(text, ']') : str_find(text, ':');
    struct str host = str_slice(text, is_v6 ? 1 : 0, end);
    struct str port = str_from(text, is_v6 ? end + 1 : end);
    uint64_t number = 0;
    if (port.n > 0 && port.p[0] != ':')
        return false;
    port = str_from(port, 1);
    if (port.n > 0 && !str_eq(port, STR("*")) &&
        (!str_to_u64(port, &number) || number == 0 || number > 65535))
        return false;
    if (host.n == 0 || host.n >= sizeof out->host ||
        str_find(host, '/') < host.n)
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
                          STR("outbound-allow: neither host:port nor "
                              "network/bits: "),
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

static bool is_name_allowed(const struct http_gate *g, struct str host,
                            uint16_t port)
{
    for (size_t i = 0; i < g->n; i++) {
        const struct allowed *a = &g->allowed[i];
        struct str name = str_of(a->host);
        if (name.n > 0 && (a->port == 0 || a->port == port) &&
            (str_eq(name, STR("*")) || str_eq_nocase(name, host)))
            return true;
    }
    return false;
}

static bool is_address_allowed(const struct http_gate *g,
                               const struct in6_addr *address)
{
    for (size_t i = 0; i < g->n; i++)
        if (g->allowed[i].host[0] == '\0' &&
            is_in(address, &g->allowed[i].network))
            return true;
    return false;
}

bool http_gate_allows(const struct http_gate *g, const struct sockaddr *to,
                      struct str host, uint16_t port)
{
    struct in6_addr address;
    if (to->sa_family == AF_INET)
        address =
            mapped(((const struct sockaddr_in *)(const void *)to)->sin_addr);
    else if (to->sa_family == AF_INET6)
        address = ((const struct sockaddr_in6 *)(const void *)to)->sin6_addr;
    else
        return false;
    return !is_special(&address) || is_name_allowed(g, host, port) ||
           is_address_allowed(g, &address);
}

/* Names that never leave the machine or its network (RFC 6761, 6762). */
static bool is_local_name(struct str host)
{
    static const struct str ends[] = { STR_INIT("localhost"), STR_INIT("local"),
                                       STR_INIT("internal"),
                                       STR_INIT("home.arpa") };
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        if (host.n < ends[i].n)
            continue;
        struct str end = str_from(host, host.n - ends[i].n);
        if (str_eq_nocase(end, ends[i]) &&
            (host.n == end.n || host.p[host.n - end.n - 1] == '.'))
            return true;
    }
    return false;
}

enum err http_gate_check_url(const struct http_gate *g, const struct url *u,
                             struct why *w)
{
    struct in6_addr address;
    struct str host = u->host;
    if (is_name_allowed(g, host, u->port))
        return OK;
    while (host.n > 0 && host.p[host.n - 1] == '.')
        host.n--;
    bool is_address = parse_address(host, &address);
    if (is_address && is_address_allowed(g, &address))
        return OK;
    if (!url_is_https(u))
        return why_of(w, ERR_DENIED, STR("only https is asked: "), u->origin);
    if (is_address ? is_special(&address) : is_local_name(host))
        return why_of(w, ERR_DENIED, STR("a private address is not asked: "),
                      u->origin);
    return OK;
}
