/* path_int.h - the evaluator of path.c and criteria.c. */
#ifndef PATCH_PATH_INT_H
#define PATCH_PATH_INT_H

#include "patch/path.h"

enum result_kind {
    RESULT_EMPTY,
    RESULT_PLACES,
    RESULT_TEXT, /* text: its characters */
    RESULT_NUMBER,
    RESULT_BOOL,
    RESULT_TREE /* text: of an object or array */
};
struct result {
    enum result_kind kind;
    struct places places;
    struct str text;
    bool yes;
};

struct path_eval {
    const struct path_world *world;
    struct str text;
    size_t at;
    unsigned nest;
    size_t work;
    struct why *w;
};

/* An expression, from e->at on, asked of `context`. */
MUST_CHECK enum err path_expression(struct path_eval *e,
                                    const struct place *context,
                                    struct result *out);
/* Comparisons, and, or: over what `term` reads. */
MUST_CHECK enum err path_criteria(struct path_eval *e,
                                  const struct place *context,
                                  struct result *out);
MUST_CHECK enum err path_term(struct path_eval *e, const struct place *context,
                              struct result *out);
/* .name of every element of r. */
MUST_CHECK enum err path_step_all(struct path_eval *e, struct str name,
                                  struct result *r);
/* One function, its name read and e->at behind its '('. */
MUST_CHECK enum err path_function(struct path_eval *e, struct str name,
                                  const struct place *context,
                                  struct result *r);

/* Words of the text. */
void path_blanks(struct path_eval *e);
bool path_take(struct path_eval *e, char c);
bool path_take_word(struct path_eval *e, struct str word);
MUST_CHECK enum err path_need(struct path_eval *e, char c);
bool path_name(struct path_eval *e, struct str *out);
MUST_CHECK enum err path_string(struct path_eval *e, struct str *out);
enum err path_bad(struct path_eval *e, struct str reason);
MUST_CHECK enum err path_spend(struct path_eval *e, size_t n);

void places_add(struct tree *t, struct places *p, struct place one);
bool result_is_true(struct tree *t, const struct result *r);

#endif
