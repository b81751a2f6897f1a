/* Which cells match a value: text-like kinds. */
#include <string.h>

#include "base/fold.h"
#include "record/evaluate_int.h"

#define FOLDED_MAX ((size_t)1 << 20)

uint32_t column_bound(const struct column *c, uint32_t from, uint64_t key)
{
    uint32_t to = c->n;
    while (from < to) {
        uint32_t mid = from + (to - from) / 2;
        if (column_key(c, mid) < key)
            from = mid + 1;
        else
            to = mid;
    }
    return from;
}

void segment_prefix(const struct segment *s, struct str prefix, uint32_t *from,
                    uint32_t *to)
{
    bool is_same;
    *from = segment_string_bound(s, prefix, &is_same);
    uint32_t low = *from, high = s->string_count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (str_starts(segment_string(s, mid), prefix))
            low = mid + 1;
        else
            high = mid;
    }
    *to = low;
}

/* Entries that follow each other are set word by word. */
static void fill(uint64_t *bits, uint32_t first, uint32_t last)
{
    for (uint32_t e = first; e < last;) {
        uint32_t here = 64 - e % 64;
        if (here > last - e)
            here = last - e;
        uint64_t ones = here == 64 ? UINT64_MAX : (UINT64_C(1) << here) - 1;
        bits[e / 64] |= ones << (e % 64);
        e += here;
    }
}

void mark_range(const struct target *t, const struct column *c, uint32_t from,
                uint32_t to)
{
    if (from >= to)
        return;
    uint32_t first = c->entry[from], last = c->entry[to - 1];
    if (t->cells != NULL) {
        fill(t->cells, from, to);
    } else if (c->is_strict && last - first == to - 1 - from && last >= first &&
               column_key(c, from) == column_key(c, to - 1)) {
        fill(t->bits, first - t->word * 64, last + 1 - t->word * 64);
    } else {
        for (uint32_t i = from; i < to; i++)
            mark(t, c, i);
    }
}

static struct str folded(struct arena *a, struct str s)
{
    if (fold_is_plain(s))
        return s;
    struct buf b = BUF_IN(a, FOLDED_MAX);
    struct str view;
    fold_add(&b, s);
    return buf_view(&b, &view) == OK ? view : s;
}

/* --- token ---------------------------------------------------------------- */

/* Which cells of a code count. */
struct filter {
    unsigned of;   /* the flags looked at */
    unsigned want; /* and how they must be */
};

static void mark_flagged(const struct match *m, uint64_t from, uint64_t to,
                         struct filter f)
{
    uint32_t first = column_bound(m->c, 0, from);
    uint32_t last = column_bound(m->c, first, to);
    const uint8_t *flags = m->c->flags;
    if (f.of == 0 || (flags == NULL && f.want == 0)) {
        mark_range(&m->to, m->c, first, last);
        return;
    }
    for (uint32_t i = first; flags != NULL && i < last; i++)
        if ((flags[i] & f.of) == f.want)
            mark(&m->to, m->c, i);
}

/* system|code finds the code of that system, and one whose system is implied
 * by its binding (gender, status). */
static void mark_code(const struct match *m, const struct query_value *v,
                      uint32_t code, struct filter f)
{
    uint64_t from = (uint64_t)code << 32, to = from + (UINT64_C(1) << 32);
    uint32_t system;
    if (code == 0)
        return;
    if (!v->has_system) {
        mark_flagged(m, from, to, f);
        return;
    }
    if (segment_string_find(m->s, v->system, &system))
        mark_flagged(m, from | system, (from | system) + 1, f);
    struct filter implied = { f.of | CELL_ANY_SYSTEM,
                              f.want | CELL_ANY_SYSTEM };
    if (v->system.n > 0 && m->c->flags != NULL)
        mark_flagged(m, from, to, implied);
}

static void mark_system(const struct match *m, struct str text)
{
    uint32_t system;
    if (!segment_string_find(m->s, text, &system))
        return;
    for (uint32_t i = 0; i < m->c->n; i++)
        if (at32(m->c->str[S_SYSTEM], i) == system)
            mark(&m->to, m->c, i);
}

static bool holds(struct str s, struct str needle)
{
    return s.n >= needle.n && str_search(s, needle) < s.n;
}

/* Cells whose string in `which` holds needle; each string is looked at once. */
static void mark_holding(const struct match *m, enum column_string which,
                         struct str needle)
{
    enum { UNKNOWN, YES, NO };
    unsigned char *known = arena_zalloc(m->a, m->s->string_count, 1);
    if (known == NULL || m->c->str[which] == NULL)
        return;
    for (uint32_t i = 0; i < m->c->n; i++) {
        uint32_t text = m->c->str[which][i];
        if (known[text] == UNKNOWN)
            known[text] = holds(segment_string(m->s, text), needle) ? YES : NO;
        if (known[text] == YES)
            mark(&m->to, m->c, i);
    }
}

/* system|code|value on an Identifier's type and value. */
static void match_of_type(const struct match *m, const struct query_value *v)
{
    uint32_t system = 0, code, value;
    if (!segment_string_find(m->s, v->code, &code) ||
        !segment_string_find(m->s, v->text, &value) ||
        (v->has_system && !segment_string_find(m->s, v->system, &system)))
        return;
    uint32_t i = column_bound(m->c, 0, (uint64_t)code << 32);
    for (; i < m->c->n && at32(m->c->str[S_KEY], i) == code; i++)
        if (at32(m->c->str[S_IDENT_CODE], i) == value &&
            (!v->has_system || at32(m->c->str[S_SYSTEM], i) == system))
            mark(&m->to, m->c, i);
}

/* :below on media types: what begins so, up to a parameter, or up to the slash
 * for the first part alone. */
static void match_media(const struct match *m, const struct query_value *v)
{
    struct str asked = folded(m->a, v->code);
    bool is_first_part = str_find(asked, '/') == asked.n;
    uint32_t from, to;
    if (asked.n == 0)
        return;
    segment_prefix(m->s, asked, &from, &to);
    for (uint32_t i = from; i < to; i++) {
        struct str rest = str_from(segment_string(m->s, i), asked.n);
        bool is_below = rest.n == 0 ||
                        (is_first_part ? rest.p[0] == '/'
                                       : rest.p[0] == ';' || rest.p[0] == ' ');
        if (is_below)
            mark_flagged(m, (uint64_t)i << 32, (uint64_t)(i + 1) << 32,
                         (struct filter){ 0, 0 });
    }
}

void match_token(const struct match *m, const struct query_value *v)
{
    if (m->modifier == MODIFIER_BELOW) {
        match_media(m, v);
        return;
    }
    if (m->modifier == MODIFIER_OF_TYPE) {
        match_of_type(m, v);
        return;
    }
    if (m->modifier == MODIFIER_TEXT) {
        struct str needle = folded(m->a, v->text);
        if (needle.n > 0)
            mark_holding(m, S_TEXT, needle);
        return;
    }
    if (!v->has_code) {
        if (v->has_system)
            mark_system(m, v->system);
        return;
    }
    struct str plain = folded(m->a, v->code);
    bool is_plain = str_eq(plain, v->code);
    uint32_t code;
    if (segment_string_find(m->s, v->code, &code))
        mark_code(m, v, code,
                  is_plain
                      ? (struct filter){ 0, 0 }
                      : (struct filter){ CELL_EXACT_CODE, CELL_EXACT_CODE });
    if (!is_plain && segment_string_find(m->s, plain, &code))
        mark_code(m, v, code, (struct filter){ CELL_EXACT_CODE, 0 });
}

/* --- string --------------------------------------------------------------- */

static void mark_strings(const struct match *m, uint32_t from, uint32_t to)
{
    uint32_t first = column_bound(m->c, 0, (uint64_t)from << 32);
    uint32_t last = column_bound(m->c, first, (uint64_t)to << 32);
    mark_range(&m->to, m->c, first, last);
}

void match_string(const struct match *m, const struct query_value *v)
{
    uint32_t from, to;
    if (m->modifier == MODIFIER_EXACT) {
        if (!segment_string_find(m->s, v->text, &from))
            return;
        for (uint32_t i = 0; i < m->c->n; i++)
            if (at32(m->c->str[S_TEXT], i) == from)
                mark(&m->to, m->c, i);
        return;
    }
    struct str plain = folded(m->a, v->text);
    if (plain.n == 0)
        return;
    if (m->modifier == MODIFIER_CONTAINS || m->modifier == MODIFIER_TEXT) {
        mark_holding(m, S_KEY, plain);
        return;
    }
    segment_prefix(m->s, plain, &from, &to);
    mark_strings(m, from, to);
}

/* --- uri ------------------------------------------------------------------ */

/* Whether outer is inner's beginning, up to a step of its path. */
static bool is_above(struct str outer, struct str inner)
{
    if (!str_starts(inner, outer) || outer.n == 0)
        return false;
    return outer.n == inner.n || outer.p[outer.n - 1] == '/' ||
           strchr("/?#|", inner.p[outer.n]) != NULL;
}

static bool uri_matches(enum query_modifier modifier, struct str cell,
                        struct str asked)
{
    if (modifier == MODIFIER_ABOVE)
        return is_above(cell, asked);
    if (modifier == MODIFIER_BELOW)
        return is_above(asked, cell);
    /* a canonical's version may be left out */
    return str_starts(cell, asked) &&
           (cell.n == asked.n || cell.p[asked.n] == '|');
}

static void mark_urls(const struct match *m, enum column_string which,
                      struct str asked)
{
    uint32_t before = 0; /* "" matches nothing */
    bool is_match = false;
    for (uint32_t i = 0; i < m->c->n; i++) {
        uint32_t text = at32(m->c->str[which], i);
        if (text != before) {
            is_match =
                uri_matches(m->modifier, segment_string(m->s, text), asked);
            before = text;
        }
        if (text != 0 && is_match)
            mark(&m->to, m->c, i);
    }
}

void match_uri(const struct match *m, const struct query_value *v)
{
    if (v->text.n > 0)
        mark_urls(m, S_KEY, v->text);
}

/* --- reference ------------------------------------------------------------ */

static void match_identifier(const struct match *m, const struct query_value *v)
{
    uint32_t system = 0, code = 0;
    if ((v->has_system && !segment_string_find(m->s, v->system, &system)) ||
        (v->has_code && !segment_string_find(m->s, v->code, &code)))
        return;
    for (uint32_t i = 0; i < m->c->n; i++) {
        uint32_t has = at32(m->c->str[S_IDENT_CODE], i);
        uint32_t in = at32(m->c->str[S_IDENT_SYSTEM], i);
        bool is_there = has != 0 || in != 0;
        if (is_there && (!v->has_system || in == system) &&
            (!v->has_code || has == code))
            mark(&m->to, m->c, i);
    }
}

void match_reference(const struct match *m, const struct query_value *v)
{
    if (m->modifier == MODIFIER_IDENTIFIER) {
        match_identifier(m, v);
        return;
    }
    bool is_url = m->modifier == MODIFIER_ABOVE ||
                  m->modifier == MODIFIER_BELOW || v->is_absolute;
    if (is_url || v->id.n == 0) {
        if (v->text.n > 0)
            mark_urls(m, S_TEXT, v->text);
        return;
    }
    uint32_t id;
    if (!segment_string_find(m->s, v->id, &id))
        return;
    uint64_t from = (uint64_t)id << 32, to = from + (UINT64_C(1) << 32);
    if (v->target_type != TYPE_NONE) {
        from |= v->target_type;
        to = from + 1;
    }
    uint32_t first = column_bound(m->c, 0, from);
    mark_range(&m->to, m->c, first, column_bound(m->c, first, to));
}

void match_value(const struct match *m, const struct query_value *v)
{
    switch ((enum cell_kind)m->c->kind) {
    case CELL_TOKEN:
        match_token(m, v);
        break;
    case CELL_STRING:
        match_string(m, v);
        break;
    case CELL_DATE:
        match_date(m, v);
        break;
    case CELL_NUMBER:
    case CELL_QUANTITY:
        match_number(m, v);
        break;
    case CELL_REFERENCE:
        match_reference(m, v);
        break;
    case CELL_URI:
        match_uri(m, v);
        break;
    }
}
