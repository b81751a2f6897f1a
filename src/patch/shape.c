#include "patch/shape.h"

#include "patch/shape_int.h"

static const struct shape_row *find_row(enum release release, struct str path)
{
    const struct shape_table *t = &shape_tables[release];
    unsigned low = 0, high = t->n;
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        int order = str_cmp(t->rows[middle].path, path);
        if (order == 0)
            return &t->rows[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

struct str shape_of_type(enum release release, struct str type)
{
    const struct shape_row *row = find_row(release, type);
    return row == NULL ? STR("") : row->path;
}

/* "name*:HumanName" */
static struct str read_member(struct str text, struct shape_member *out)
{
    size_t colon = str_find(text, ':');
    struct str name = str_slice(text, 0, colon);
    *out = (struct shape_member){ .types = str_from(text, colon + 1) };
    if (str_ends(name, STR("*"))) {
        out->is_list = true;
        name.n--;
    }
    if (str_ends(name, STR("[]"))) {
        out->is_choice = true;
        name.n -= 2;
    }
    return name;
}

static void settle(struct arena *a, enum release release, struct str parent,
                   struct str name, struct shape_member *m)
{
    m->shape = STR("");
    if (m->is_choice)
        return;
    if (str_eq(m->types, STR("."))) {
        m->shape = arena_cat(a, parent, STR("."), name);
        m->types = STR("BackboneElement");
    } else if (str_starts(m->types, STR("#"))) {
        m->shape = str_from(m->types, 1);
        m->types = STR("BackboneElement");
    } else if (str_eq(m->types, STR("Resource"))) {
        m->is_resource = true;
    } else {
        m->shape = shape_of_type(release, m->types);
    }
}

/* What the tables leave out: members of all elements, of all resources. */
static bool find_common(enum release release, struct str shape, struct str name,
                        struct shape_member *out)
{
    static const struct {
        struct str name, types;
        bool is_list, of_resources;
    } rows[] = {
        { STR_INIT("id"), STR_INIT("string"), false, false },
        { STR_INIT("extension"), STR_INIT("Extension"), true, false },
        { STR_INIT("modifierExtension"), STR_INIT("Extension"), true, false },
        { STR_INIT("meta"), STR_INIT("Meta"), false, true },
        { STR_INIT("implicitRules"), STR_INIT("uri"), false, true },
        { STR_INIT("language"), STR_INIT("code"), false, true },
        { STR_INIT("text"), STR_INIT("Narrative"), false, true },
        { STR_INIT("contained"), STR_INIT("Resource"), true, true },
    };
    bool is_resource = release_type_find(release, shape, false) != TYPE_NONE;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!str_eq(rows[i].name, name) ||
            (rows[i].of_resources && !is_resource))
            continue;
        *out = (struct shape_member){ .types = rows[i].types,
                                      .is_list = rows[i].is_list };
        return true;
    }
    return false;
}

bool shape_find(struct arena *a, enum release release, struct str shape,
                struct str name, struct shape_member *out)
{
    const struct shape_row *row = find_row(release, shape);
    struct str rest = row == NULL ? STR_NONE : row->members, one;
    while (rest.p != NULL && str_cut(&rest, ' ', &one)) {
        if (str_eq(read_member(one, out), name)) {
            settle(a, release, row->path, name, out);
            return true;
        }
    }
    if (!find_common(release, shape, name, out))
        return false;
    settle(a, release, shape, name, out);
    return true;
}

static bool same_type(struct str x, struct str y)
{
    return x.n == y.n && x.n > 0 && char_lower(x.p[0]) == char_lower(y.p[0]) &&
           str_eq(str_from(x, 1), str_from(y, 1));
}

bool shape_choice(struct arena *a, const struct shape_member *m,
                  struct str type, struct str *written)
{
    struct str rest = m->types, one;
    while (rest.n > 0 && str_cut(&rest, ',', &one)) {
        if (!same_type(one, type) && !str_eq(one, STR("*")))
            continue;
        char *p = arena_cstr(a, type);
        if (p == NULL)
            return false;
        if (p[0] >= 'a' && p[0] <= 'z')
            p[0] = (char)(p[0] - ('a' - 'A'));
        *written = (struct str){ p, type.n };
        return true;
    }
    return false;
}
