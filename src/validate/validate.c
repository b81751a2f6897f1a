#include "validate/validate_int.h"

#include "fhir/code_set.h"
#include "fhir/resource.h"
#include "validate/primitive.h"

#define DEPTH_MAX 100

void check_say(struct check *c, bool is_error, struct str code,
               struct str expression, struct str text)
{
    struct validate_report *r = c->report;
    r->has_errors |= is_error;
    if (r->n == VALIDATE_ISSUES_MAX) {
        r->is_cut = true;
        return;
    }
    r->at[r->n++] = (struct validate_issue){ is_error, code, text, expression };
}

static struct str indexed(struct check *c, struct str path, size_t i)
{
    struct buf b = BUF_IN(c->a, path.n + 32);
    struct str out = path;
    buf_add(&b, path);
    buf_add_char(&b, '[');
    buf_add_u64(&b, i);
    buf_add_char(&b, ']');
    return buf_view(&b, &out) == OK ? out : path;
}

static const struct structure_child *find_child(const struct check *c,
                                                uint16_t node, struct str name)
{
    const struct structure_node *n = &c->table->nodes[node];
    const struct structure_child *first = &c->table->children[n->first_child];
    size_t low = 0, high = n->child_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp(first[middle].name, name);
        if (order == 0)
            return &first[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* --- values --------------------------------------------------------------- */

static bool is_in_set(const struct check *c, struct str url, struct str system,
                      bool has_system, struct str code, bool *is_known)
{
    const struct code_set *set = code_set_find(c->release, url);
    *is_known = set != NULL;
    for (size_t i = 0; set != NULL && i < set->n; i++)
        if (str_eq(set->codes[i].code, code) &&
            (!has_system || str_eq(set->codes[i].system, system)))
            return true;
    return false;
}

static void wrong_code(struct check *c, const struct structure_child *child,
                       struct str code, struct str path)
{
    check_say(c, true, STR("code-invalid"), path,
              check_text(c, STR("the code \""), code,
                         STR("\" is not of the required value set "),
                         child->codes));
}

static void check_primitive(struct check *c,
                            const struct structure_child *child,
                            struct yyjson_val *v, struct str path)
{
    enum primitive p = (enum primitive)child->primitive;
    struct str text = json_text(v);
    bool is_form = p == PRIMITIVE_BOOLEAN   ? json_is_bool(v)
                   : primitive_is_number(p) ? json_is_number(v)
                                            : json_is_string(v);
    if (!is_form) {
        check_say(c, true, STR("structure"), path,
                  check_text(c, STR("a "), primitive_name(p),
                             STR(" is written as a JSON "),
                             p == PRIMITIVE_BOOLEAN   ? STR("true or false")
                             : primitive_is_number(p) ? STR("number")
                                                      : STR("string")));
        return;
    }
    if (!json_is_bool(v) && !primitive_is_sound(p, text)) {
        check_say(c, true, STR("value"), path,
                  check_text(c, STR("\""),
                             str_slice(text, 0, text.n < 80 ? text.n : 80),
                             STR("\" is no sound "), primitive_name(p)));
        return;
    }
    bool is_known;
    if (child->codes.n > 0 && p == PRIMITIVE_CODE &&
        !is_in_set(c, child->codes, STR(""), false, text, &is_known) &&
        is_known)
        wrong_code(c, child, text, path);
}

/* A Coding, or a CodeableConcept one of whose codings has to be of the set. */
static void check_binding(struct check *c, const struct structure_child *child,
                          struct yyjson_val *v, struct str path)
{
    bool is_known = true;
    struct yyjson_val *codings = json_get(v, STR("coding"));
    struct str code = json_get_text(v, STR("code"));
    struct str system = json_get_text(v, STR("system"));
    if (codings == NULL) {
        if (code.n > 0 &&
            !is_in_set(c, child->codes, system, system.n > 0, code,
                       &is_known) &&
            is_known)
            wrong_code(c, child, code, path);
        return;
    }
    for (JSON_EACH(one, codings)) {
        code = json_get_text(one.now, STR("code"));
        system = json_get_text(one.now, STR("system"));
        if (code.n == 0 ||
            is_in_set(c, child->codes, system, system.n > 0, code, &is_known) ||
            !is_known)
            return;
    }
    wrong_code(c, child, code, path);
}

static void check_target(struct check *c, const struct structure_child *child,
                         struct yyjson_val *v, struct str path)
{
    struct str base, id, text = json_get_text(v, STR("reference"));
    uint16_t type;
    if (child->target_count == 0 || text.n == 0 ||
        !reference_split(c->release, text, &base, &type, &id))
        return;
    for (uint16_t i = 0; i < child->target_count; i++)
        if (c->table->targets[child->first_target + i] == type)
            return;
    check_say(c, true, STR("structure"), path,
              check_text(c, STR("a reference to "),
                         release_type_name(c->release, type),
                         STR(" is not allowed here")));
}

/* --- objects -------------------------------------------------------------- */

static void check_object(struct check *c, uint16_t node, struct str type,
                         struct yyjson_val *v, struct str path,
                         bool is_resource);

static void check_resource(struct check *c, struct yyjson_val *v,
                           struct str path)
{
    struct str name = json_get_text(v, STR("resourceType"));
    uint16_t type = release_type_find(c->release, name, false);
    uint16_t node = type == TYPE_NONE ? NODE_NONE : c->table->roots[type];
    if (!json_is_object(v) || node == NODE_NONE) {
        check_say(c, true, STR("structure"), path,
                  check_text(c, release_info(c->release)->name,
                             STR(" has no resource type \""), name, STR("\"")));
        return;
    }
    check_object(c, node, name, v, path, true);
}

static void check_value(struct check *c, const struct structure_child *child,
                        struct yyjson_val *v, struct str path)
{
    if (child->primitive != PRIMITIVE_NONE) {
        check_primitive(c, child, v, path);
        return;
    }
    if (!json_is_object(v)) {
        check_say(c, true, STR("structure"), path,
                  STR("an object is wanted here"));
        return;
    }
    if (child->node == NODE_RESOURCE) {
        check_resource(c, v, path);
        return;
    }
    check_object(c, child->node, STR(""), v, path, false);
    if (child->codes.n > 0)
        check_binding(c, child, v, path);
    check_target(c, child, v, path);
}

/* A null in a list of primitives stands for one that has extensions alone. */
static bool is_padding(const struct structure_child *child,
                       struct yyjson_val *item, struct yyjson_val *beside,
                       size_t i)
{
    return json_is_null(item) && child->primitive != PRIMITIVE_NONE &&
           json_is_array(beside) && i < json_count(beside);
}

static void check_list(struct check *c, const struct structure_child *child,
                       struct yyjson_val *v, struct yyjson_val *beside,
                       struct str path)
{
    size_t i = 0;
    if (json_count(v) == 0)
        check_say(c, true, STR("structure"), path,
                  STR("a list has to have something in it"));
    if (child->max > 1 && json_count(v) > child->max)
        check_say(c, true, STR("structure"), path,
                  STR("there are more than may be"));
    for (JSON_EACH(item, v)) {
        if (!is_padding(child, item.now, beside, i))
            check_value(c, child, item.now, indexed(c, path, i));
        i++;
    }
}

static void check_member(struct check *c, const struct structure_child *child,
                         struct yyjson_val *v, struct yyjson_val *beside,
                         struct str path)
{
    bool is_list = child->max != 1;
    if (is_list != json_is_array(v)) {
        check_say(c, true, STR("structure"), path,
                  is_list ? STR("this element repeats: a list is wanted")
                          : STR("this element does not repeat: no list"));
        if (!json_is_array(v))
            check_value(c, child, v, path);
        return;
    }
    if (is_list)
        check_list(c, child, v, beside, path);
    else
        check_value(c, child, v, path);
}

/* _birthDate: ids and extensions of a primitive, or a list of them. */
static void check_beside(struct check *c, const struct structure_child *child,
                         struct yyjson_val *v, struct str path)
{
    if (child->primitive == PRIMITIVE_NONE) {
        check_say(c, true, STR("structure"), path,
                  STR("only primitives have a member with _"));
        return;
    }
    if (json_is_object(v))
        check_object(c, c->table->element, STR(""), v, path, false);
    size_t i = 0;
    for (JSON_EACH(item, v)) {
        if (json_is_object(item.now))
            check_object(c, c->table->element, STR(""), item.now,
                         indexed(c, path, i), false);
        i++;
    }
    if (!json_is_object(v) && !json_is_array(v))
        check_say(c, true, STR("structure"), path,
                  STR("an object is wanted here"));
}

/* Which choices and which mandatory elements are there. */
static void check_presence(struct check *c, uint16_t node,
                           const unsigned char *seen, struct str path)
{
    const struct structure_node *n = &c->table->nodes[node];
    const struct structure_child *first = &c->table->children[n->first_child];
    for (uint16_t i = 0; i < n->child_count; i++) {
        const struct structure_child *child = &first[i];
        bool is_first = true; /* of its choice, in the order of names */
        for (uint16_t k = 0; k < i; k++)
            is_first &= first[k].group != child->group;
        if (!is_first)
            continue;
        if (child->min > 0 && seen[child->group] == 0)
            check_say(c, true, STR("required"),
                      check_text(c, path, STR("."), child->name),
                      check_text(c, STR("the element "), child->name,
                                 STR(" has to be there")));
        if (seen[child->group] > 1)
            check_say(c, true, STR("structure"), path,
                      check_text(c, STR("only one of the kinds of "),
                                 child->name, STR(" may be there")));
    }
}

static void check_one(struct check *c, uint16_t node, struct yyjson_val *object,
                      struct str key, struct yyjson_val *v, unsigned char *seen,
                      struct str path)
{
    bool is_beside = key.n > 0 && key.p[0] == '_';
    struct str name = str_from(key, is_beside);
    const struct structure_child *child = find_child(c, node, name);
    struct str place = check_text(c, path, STR("."), name);
    if (child == NULL) {
        check_say(
            c, true, STR("structure"), place,
            check_text(c, STR("there is no element \""), key, STR("\" here")));
        return;
    }
    struct str other = is_beside ? name : check_text(c, STR("_"), name);
    struct yyjson_val *pair = json_get(object, other);
    if (!is_beside || pair == NULL)
        seen[child->group]++;
    if (is_beside)
        check_beside(c, child, v, place);
    else if (!json_is_null(v))
        check_member(c, child, v, pair, place);
    else
        check_say(c, true, STR("structure"), place,
                  STR("null stands only in lists of primitives"));
}

static void check_object(struct check *c, uint16_t node, struct str type,
                         struct yyjson_val *v, struct str path,
                         bool is_resource)
{
    unsigned char *seen =
        arena_zalloc(c->a, (size_t)c->table->nodes[node].child_count + 2, 1);
    if (seen == NULL || c->depth == DEPTH_MAX)
        return;
    c->depth++;
    if (json_count(v) == 0)
        check_say(c, true, STR("structure"), path,
                  STR("an object has to have something in it"));
    for (JSON_MEMBERS(m, v)) {
        struct str key = json_key_of(&m);
        if (!is_resource || !str_eq(key, STR("resourceType")))
            check_one(c, node, v, key, m.value, seen, path);
    }
    check_presence(c, node, seen, path);
    check_invariants(c, type, v, path);
    c->depth--;
}

enum err validate_resource(enum release release, struct yyjson_val *root,
                           struct arena *a, struct validate_report *out)
{
    struct validate_report report = { .at = arena_zalloc(a, VALIDATE_ISSUES_MAX,
                                                         sizeof *report.at) };
    if (report.at == NULL)
        return arena_err(a);
    struct check c = { .release = release,
                       .table = &structure_tables[release],
                       .a = a,
                       .report = &report,
                       .root = root };
    struct str name = json_get_text(root, STR("resourceType"));
    check_resource(&c, root, name.n > 0 ? name : STR("Resource"));
    if (arena_err(a) != OK)
        return arena_err(a);
    *out = report;
    return OK;
}
