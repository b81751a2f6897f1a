/* What an entry is known by, as 64-bit keys in system_key.
 *
 *   'n'  URL, name, tag      the same entry
 *   'p'  URL, name           for one with a tag: the same without it
 *   'u'  URL                 the only organisation at a URL
 *   'm'  URL                 marker: a list has several names at this URL
 *   's'  URL without its release, name   the DSTU2 twin of an R4 endpoint
 *   't'  name, domain, tenant in the path   the same, on another host
 *   'h'  name, host          the same, on another path of its own host
 *   'z'  name, postal code, vendor   the same, anywhere
 *
 * 64 bits: two of 10^6 keys meet with a chance of 3 in 10^8.
 */
#include "directory/take_key_int.h"

#include "base/hash.h"
#include "base/url.h"
#include "directory/text_int.h"

#define COUNT(a_) (sizeof(a_) / sizeof(a_)[0])

static const struct db_statement select_key = {
    "SELECT system_id FROM system_key WHERE key = $1"
};
static const struct db_statement insert_key = {
    "INSERT INTO system_key(key, system_id) VALUES ($1, $2) "
    "ON CONFLICT(key) DO NOTHING"
};

static int64_t make(struct arena *a, char kind, struct str one, struct str two,
                    struct str three)
{
    const struct str mark = STR("\x1f"), first = { &kind, 1 };
    struct str text = arena_cat(a, first, mark, one, mark, two, mark, three);
    return (int64_t)hash64(text);
}

/* Hosts of vendors' clouds, where a name does not tell who it is. */
static bool is_cloud(struct str host)
{
    static const struct str clouds[] = {
        STR_INIT("healow.com"),
        STR_INIT("cerner.com"),
        STR_INIT("allscripts.com"),
        STR_INIT("athenahealth.com"),
        STR_INIT("meldrx.com"),
        STR_INIT("greenwayhealth.com"),
        STR_INIT("carepaths.com"),
        STR_INIT("netsmartcloud.com"),
        STR_INIT("everhealthsoftware.com"),
        STR_INIT("meditech.cloud"),
    };
    for (size_t i = 0; i < COUNT(clouds); i++)
        if (str_ends(host, clouds[i]))
            return true;
    return false;
}

static bool is_release_word(struct str word)
{
    static const struct str words[] = { STR_INIT("r4"),   STR_INIT("r2"),
                                        STR_INIT("r3"),   STR_INIT("dstu2"),
                                        STR_INIT("stu3"), STR_INIT("v4") };
    for (size_t i = 0; i < COUNT(words); i++)
        if (str_eq_nocase(words[i], word))
            return true;
    return false;
}

/* Words that name a door, not who lives behind it. */
static bool is_door(struct str word)
{
    static const struct str words[] = {
        STR_INIT("fhir"), STR_INIT("api"),  STR_INIT("fhirserver"),
        STR_INIT("data"), STR_INIT("open"), STR_INIT("fhirproxy"),
        STR_INIT("v1"),   STR_INIT("v2"),   STR_INIT("server"),
    };
    for (size_t i = 0; i < COUNT(words); i++)
        if (str_eq_nocase(words[i], word))
            return true;
    return is_release_word(word);
}

/* The URL with '*' where it says its release; "" when it does not. */
static struct str without_release(struct arena *a, struct str url)
{
    struct buf b = BUF_IN(a, 4096);
    struct str rest = url, part;
    bool found = false;
    while (str_cut(&rest, '/', &part)) {
        bool is_release = is_release_word(part);
        found = found || is_release;
        for (size_t i = 0; i < part.n && !is_release; i++)
            buf_add_char(&b, char_lower(part.p[i]));
        if (is_release)
            buf_add_char(&b, '*');
        buf_add_char(&b, '/');
    }
    struct str text;
    return found && buf_view(&b, &text) == OK ? text : STR("");
}

/* The last part of the path that names a tenant; "" when none does. */
static struct str tenant_of_path(struct str path)
{
    struct str last = STR(""), rest = path, part;
    while (rest.n > 0 && str_cut(&rest, '/', &part))
        if (part.n > 2 && !is_door(part))
            last = part;
    return last;
}

/* "healow.com" of "fhir4.healow.com". */
static struct str domain_of(struct str host)
{
    size_t dot = str_rfind(host, '.');
    if (dot >= host.n)
        return host;
    size_t before = str_rfind(str_slice(host, 0, dot), '.');
    return before >= dot ? host : str_from(host, before + 1);
}

size_t key_all(struct arena *a, const struct key_parts *p,
               struct key out[KEYS_MAX])
{
    size_t n = 0;
    struct url url;
    out[n++] = (struct key){ make(a, 'n', p->url, p->name, p->tag), 'n' };
    out[n++] = (struct key){ make(a, 'u', p->url, STR(""), STR("")), 'u' };
    if (p->tag.n > 0)
        out[n++] = (struct key){ make(a, 'n', p->url, p->name, STR("")), 'p' };
    if (p->tag.n > 0 || url_parse(p->url, &url) != OK)
        return n;
    struct str twin = without_release(a, p->url);
    struct str tenant = tenant_of_path(url.path);
    if (twin.n > 0)
        out[n++] = (struct key){ make(a, 's', twin, p->name, STR("")), 's' };
    if (tenant.n > 0)
        out[n++] =
            (struct key){ make(a, 't', p->name, domain_of(url.host), tenant),
                          't' };
    if (!is_cloud(url.host))
        out[n++] =
            (struct key){ make(a, 'h', p->name, url.host, STR("")), 'h' };
    if (p->zip.n >= 5)
        out[n++] = (struct key){
            make(a, 'z', p->name, str_slice(p->zip, 0, 5), p->vendor), 'z'
        };
    return n;
}

int64_t key_shared(struct arena *a, struct str url)
{
    return make(a, 'm', url, STR(""), STR(""));
}

enum err key_find(struct db_session *s, int64_t key, int64_t *out_id)
{
    AUTO_ROWS rows = { 0 };
    enum err err = db_query(s, &select_key, &rows, DB_I64(key));
    if (err == OK)
        err = db_next(&rows);
    if (err == OK)
        *out_id = db_i64(&rows, 0);
    return err;
}

enum err key_add(struct db_session *s, int64_t key, int64_t id)
{
    return db_run(s, &insert_key, NULL, DB_I64(key), DB_I64(id));
}
