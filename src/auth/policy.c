#include "auth/policy.h"

/* What an interaction needs, in SMART v2's letters. */
#define NEED_C 1u
#define NEED_R 2u
#define NEED_U 4u
#define NEED_D 8u
#define NEED_S 16u

static const unsigned needs[] = {
    [INTERACTION_READ] = NEED_R,
    [INTERACTION_VREAD] = NEED_R,
    [INTERACTION_SEARCH] = NEED_S,
    [INTERACTION_HISTORY] = NEED_R,
    [INTERACTION_CREATE] = NEED_C,
    [INTERACTION_UPDATE] = NEED_U,
    [INTERACTION_PATCH] = NEED_U,
    [INTERACTION_DELETE] = NEED_D,
    [INTERACTION_EVERYTHING] = NEED_R | NEED_S,
    [INTERACTION_EXPORT] = NEED_R | NEED_S,
    [INTERACTION_BATCH] = 0, /* each of its entries asks for itself */
    [INTERACTION_SHARE] = NEED_R | NEED_S | NEED_U,
};

/* The letters of ".read", ".write", ".*" (SMART v1) or ".cruds" (v2, letters in
 * that order); 0 for anything else, and for a v2 scope with a query, which
 * would need a narrower gate than this one. */
static unsigned letters_of(struct str permission)
{
    static const char order[] = "cruds";
    if (str_eq(permission, STR("*")))
        return NEED_C | NEED_R | NEED_U | NEED_D | NEED_S;
    if (str_eq(permission, STR("read")))
        return NEED_R | NEED_S;
    if (str_eq(permission, STR("write")))
        return NEED_C | NEED_U | NEED_D;
    unsigned letters = 0;
    size_t at = 0;
    for (size_t i = 0; i < permission.n; i++) {
        while (at < 5 && order[at] != permission.p[i])
            at++;
        if (at == 5)
            return 0;
        letters |= 1u << at++;
    }
    return letters;
}

/* Letters that one scope gives on a type ("" : all types). */
static unsigned granted(struct str scope, bool is_app, struct str type)
{
    size_t slash = str_find(scope, '/');
    size_t dot = str_find(scope, '.');
    if (slash == scope.n || dot == scope.n || dot < slash)
        return 0;
    struct str context = str_slice(scope, 0, slash);
    struct str on = str_slice(scope, slash + 1, dot);
    bool is_context = is_app ? str_eq(context, STR("system"))
                             : str_eq(context, STR("user")) ||
                                   str_eq(context, STR("patient"));
    bool is_type = str_eq(on, STR("*")) || (type.n > 0 && str_eq(on, type));
    return is_context && is_type ? letters_of(str_from(scope, dot + 1)) : 0;
}

enum err policy_allows(const struct principal *p, enum interaction interaction,
                       struct str type, struct why *w)
{
    if ((size_t)interaction >= sizeof needs / sizeof needs[0])
        return ERR_DENIED;
    unsigned need = needs[interaction];
    unsigned have = 0;
    struct str rest = p->scope;
    struct str scope;
    while (str_cut(&rest, ' ', &scope))
        have |= granted(scope, p->user_id == 0, type);
    if ((need & ~have) == 0 && (need != 0 || p->scope.n > 0))
        return OK;
    return why_of(w, ERR_DENIED,
                  STR("the token's scope does not allow this"
                      " on "),
                  type.n > 0 ? type : STR("all types"));
}

bool policy_reaches_shared(enum interaction interaction)
{
    return interaction == INTERACTION_READ ||
           interaction == INTERACTION_SEARCH ||
           interaction == INTERACTION_EVERYTHING;
}

static unsigned granted_by_all(struct str scopes, bool is_app, struct str type)
{
    unsigned have = 0;
    struct str one;
    while (str_cut(&scopes, ' ', &one))
        have |= granted(one, is_app, type);
    return have;
}

bool policy_covers(struct str scopes, struct str asked, bool is_app)
{
    struct str one;
    while (str_cut(&asked, ' ', &one)) {
        if (one.n == 0)
            continue;
        size_t slash = str_find(one, '/'), dot = str_find(one, '.');
        if (slash == one.n || dot == one.n || dot < slash)
            return false;
        struct str type = str_slice(one, slash + 1, dot);
        unsigned want = letters_of(str_from(one, dot + 1));
        if (str_eq(type, STR("*")))
            type = STR("");
        bool is_ours = granted(one, is_app, type) != 0;
        if (want == 0 || !is_ours ||
            (want & ~granted_by_all(scopes, is_app, type)) != 0)
            return false;
    }
    return true;
}
