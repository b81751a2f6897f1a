#include "patch/patch.h"

#include "base/json.h"
#include "patch/patch_int.h"

#define SHOWN_PATH_MAX 160

enum err patch_why(struct arena *a, struct why *w, enum err err, size_t number,
                   struct str op, struct str path, struct str reason)
{
    struct buf digits = BUF_IN(a, 32);
    struct str shown = STR("");
    buf_add_u64(&digits, number);
    if (buf_view(&digits, &shown) != OK)
        return err;
    bool has_place = op.n > 0 || path.n > 0;
    return why_of(
        w, err, STR("operation "), shown, has_place ? STR(" (") : STR(""),
        str_slice(op, 0, 32), path.n > 0 ? STR(" ") : STR(""),
        str_slice(path, 0, SHOWN_PATH_MAX), has_place ? STR(")") : STR(""),
        STR(": "), reason.n > 0 ? reason : STR("it could not be done"));
}

/* Whether a member differs that is still there, or was and must stay. */
static bool is_changed(struct yyjson_val *before, struct yyjson_val *after,
                       struct str path, bool must_stay)
{
    struct yyjson_val *old = json_at(before, path);
    struct yyjson_val *new = json_at(after, path);
    if (new == NULL)
        return old != NULL && must_stay;
    return !json_is_string(new) || !str_eq(json_text(old), json_text(new));
}

static bool holds_nocase(struct str s, struct str needle)
{
    for (size_t i = 0; i + needle.n <= s.n; i++)
        if (str_starts_nocase(str_from(s, i), needle))
            return true;
    return false;
}

/* A narrative is one div without anything that acts (R4 2.4.0). */
static bool is_safe_div(struct str div)
{
    static const struct str banned[] = {
        STR_INIT("<script"),     STR_INIT("<iframe"),  STR_INIT("<object"),
        STR_INIT("<embed"),      STR_INIT("<form"),    STR_INIT("<link"),
        STR_INIT("<base"),       STR_INIT("<head"),    STR_INIT("<body"),
        STR_INIT(" onload"),     STR_INIT(" onerror"), STR_INIT(" onclick"),
        STR_INIT("javascript:"),
    };
    div = str_trim(div);
    if (!str_starts(div, STR("<div")) || !str_ends(div, STR(">")))
        return false;
    for (size_t i = 0; i < sizeof banned / sizeof *banned; i++)
        if (holds_nocase(div, banned[i]))
            return false;
    return true;
}

enum err patch_check_kept(struct arena *a, struct str before, struct str after,
                          struct why *w)
{
    struct yyjson_val *old, *new;
    enum err err = json_parse(a, before, &old, w);
    if (err == OK)
        err = json_parse(a, after, &new, w);
    if (err != OK)
        return err;
    if (!json_is_object(new))
        return why(w, ERR_INVALID,
                   "a patch may not replace the resource "
                   "by something else");
    if (is_changed(old, new, STR("resourceType"), true))
        return why(w, ERR_INVALID, "a patch may not change resourceType");
    if (is_changed(old, new, STR("id"), true))
        return why(w, ERR_INVALID, "a patch may not change id");
    if (is_changed(old, new, STR("meta.versionId"), false))
        return why(w, ERR_INVALID, "a patch may not change meta.versionId");
    if (is_changed(old, new, STR("meta.lastUpdated"), false))
        return why(w, ERR_INVALID, "a patch may not change meta.lastUpdated");
    struct yyjson_val *div = json_at(new, STR("text.div"));
    if (div != NULL && is_changed(old, new, STR("text.div"), false) &&
        !is_safe_div(json_text(div)))
        return why(w, ERR_INVALID,
                   "text.div is one XHTML div without active content");
    return OK;
}
