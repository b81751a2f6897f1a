/* A Subscription resource read and checked. */
#include "base/clock.h"
#include "base/json.h"
#include "fhir/date.h"
#include "subscription/subscription_int.h"

static enum err no(struct why *w, const char *text)
{
    return why(w, ERR_UNPROCESSABLE, text);
}

static enum err read_status(struct yyjson_val *root, struct hook *out,
                            struct why *w)
{
    struct str status = json_get_text(root, STR("status"));
    if (status.p == NULL || str_eq(status, STR("requested")))
        out->status = HOOK_REQUESTED;
    else if (str_eq(status, STR("active")))
        out->status = HOOK_ACTIVE;
    else if (str_eq(status, STR("off")) || str_eq(status, STR("error")))
        out->status = HOOK_OFF;
    else
        return no(w, "Subscription.status is none of requested, active, error, "
                     "off");
    return OK;
}

/* "Observation?code=1" */
static enum err read_criteria(enum release release, struct str text,
                              struct arena *a, struct hook *out, struct why *w)
{
    struct url_params params;
    struct why said = { 0 };
    if (text.n == 0)
        return no(w, "Subscription.criteria is missing");
    text = str_from(text, str_starts(text, STR("/")));
    size_t mark = str_find(text, '?');
    uint16_t type = release_type_find(release, str_slice(text, 0, mark), false);
    if (type == TYPE_NONE)
        return why_of(w, ERR_UNPROCESSABLE, STR("Subscription.criteria: "),
                      text, STR(" is not like Observation?code=1"));
    enum err err = url_parse_params(a, str_from(text, mark + 1), &params);
    if (err == OK)
        err = query_parse(a, release, type, &params, QUERY_STRICT, &out->query,
                          &said);
    if (err == ERR_INVALID || err == ERR_LIMIT)
        return why_of(w, ERR_UNPROCESSABLE, STR("Subscription.criteria: "),
                      str_of(said.text));
    out->query.count = UINT32_MAX;
    out->query.skip = 0;
    out->query.after_id = STR_NONE;
    out->query.include_count = 0;
    out->query.sort_count = 0;
    return err;
}

static bool is_token(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!char_is_alpha(s.p[i]) && !char_is_digit(s.p[i]) && s.p[i] != '-' &&
            s.p[i] != '_')
            return false;
    return s.n > 0;
}

static bool is_line(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
            return false;
    return true;
}

/* What is ours to say. */
static bool is_reserved(struct str name)
{
    static const struct str names[] = {
        STR_INIT("Host"),
        STR_INIT("Content-Length"),
        STR_INIT("Content-Type"),
        STR_INIT("Transfer-Encoding"),
        STR_INIT("Connection"),
        STR_INIT("Expect"),
        STR_INIT("Accept-Encoding"),
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (str_eq_nocase(name, names[i]))
            return true;
    return false;
}

/* "Authorization: Bearer 123"; what has no name is an Authorization. */
static enum err add_header(struct str text, struct hook *out, struct why *w)
{
    size_t colon = str_find(text, ':');
    struct http_header h = { str_trim(str_slice(text, 0, colon)),
                             str_trim(str_from(text, colon + 1)) };
    if (colon == text.n)
        h = (struct http_header){ STR("Authorization"), str_trim(text) };
    if (!is_token(h.name) || !is_line(h.value) || is_reserved(h.name))
        return no(w, "Subscription.channel.header cannot be sent");
    if (out->header_count == HOOK_HEADERS_MAX)
        return no(w, "Subscription.channel.header: too many");
    out->headers[out->header_count++] = h;
    return OK;
}

/* One in DSTU2, a list since. */
static enum err read_headers(struct yyjson_val *v, struct hook *out,
                             struct why *w)
{
    enum err err = OK;
    if (json_is_string(v))
        return add_header(json_text(v), out, w);
    for (JSON_EACH(one, v)) {
        err = add_header(json_text(one.now), out, w);
        if (err != OK)
            break;
    }
    return err;
}

static bool is_json_payload(struct str payload)
{
    static const struct str names[] = {
        STR_INIT("application/fhir+json"),
        STR_INIT("application/json+fhir"),
        STR_INIT("application/json"),
    };
    struct str bare = str_trim(str_slice(payload, 0, str_find(payload, ';')));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (str_eq_nocase(bare, names[i]))
            return is_line(payload);
    return false;
}

static enum err read_channel(struct yyjson_val *channel, struct hook *out,
                             struct why *w)
{
    struct str type = json_get_text(channel, STR("type"));
    if (!str_eq(type, STR("rest-hook")))
        return why_of(w, ERR_UNPROCESSABLE, STR("Subscription.channel.type "),
                      type.n > 0 ? type : STR("(none)"),
                      STR(" is not offered; rest-hook is"));
    out->endpoint = json_get_text(channel, STR("endpoint"));
    out->payload = json_get_text(channel, STR("payload"));
    if (out->payload.p == NULL)
        out->payload = STR("");
    if (out->endpoint.n == 0)
        return no(w, "Subscription.channel.endpoint is missing");
    if (out->payload.n > 0 && !is_json_payload(out->payload))
        return why_of(w, ERR_UNPROCESSABLE,
                      STR("Subscription.channel.payload "), out->payload,
                      STR(" is not offered; application/fhir+json is"));
    return read_headers(json_get(channel, STR("header")), out, w);
}

static enum err read_end(struct yyjson_val *root, struct hook *out,
                         struct why *w)
{
    int64_t low;
    struct str end = json_get_text(root, STR("end"));
    if (end.p == NULL || clock_parse_instant(end, &out->end_ms) == OK ||
        date_range(end, &low, &out->end_ms) == OK)
        return OK;
    return no(w, "Subscription.end is no instant");
}

enum err hook_parse(enum release release, struct str text, struct arena *a,
                    struct hook *out, struct why *w)
{
    struct yyjson_val *root;
    struct hook hook = { 0 };
    enum err err = json_parse(a, text, &root, w);
    if (err != OK)
        return err;
    hook.id = json_get_text(root, STR("id"));
    err = read_status(root, &hook, w);
    if (err == OK)
        err = read_channel(json_get(root, STR("channel")), &hook, w);
    if (err == OK)
        err = read_criteria(release, json_get_text(root, STR("criteria")), a,
                            &hook, w);
    if (err == OK)
        err = read_end(root, &hook, w);
    if (err == OK)
        *out = hook;
    return err;
}

enum err subscription_check(const struct subscriptions *s,
                            const struct resource *r, struct arena *a,
                            struct why *w)
{
    struct hook hook;
    struct url url;
    enum err err = hook_parse(r->release, r->text, a, &hook, w);
    if (err != OK)
        return err;
    if (url_parse(hook.endpoint, &url) != OK)
        return no(w, "Subscription.channel.endpoint is no https URL");
    err = http_gate_check_url(s->o.gate, &url, w);
    return err == ERR_DENIED ? ERR_UNPROCESSABLE : err;
}
