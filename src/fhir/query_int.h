/* query_int.h - a query being parsed. */
#ifndef FHIR_QUERY_INT_H
#define FHIR_QUERY_INT_H

#include "fhir/query.h"

#define CLAUSES_MAX  100
#define SORTS_MAX    8
#define INCLUDES_MAX 20
#define VALUES_MAX   1000
#define CHAIN_MAX    8

struct parser {
    struct arena *arena;
    struct why *why;
    struct query *q;
    unsigned flags;
    struct query_clause clauses[CLAUSES_MAX];
    size_t clause_count;
    struct query_sort sorts[SORTS_MAX];
    size_t sort_count;
    struct query_include includes[INCLUDES_MAX];
    size_t include_count;
    struct str *ignored;
    const char **ignored_why;
    size_t ignored_count;
    double near_km; /* near-distance; 0: not said */
};

/* One "name:modifier=a,b" of a type.  Not understood and lenient: OK with
 * out->name.p NULL. */
MUST_CHECK enum err clause_parse(struct parser *p, uint16_t type,
                                 struct str name, struct str value,
                                 unsigned depth, struct query_clause *out);
/* One alternative of a clause, of the row's kind. */
MUST_CHECK enum err value_parse(struct parser *p, uint16_t row,
                                enum query_modifier modifier,
                                uint16_t target_type, struct str text,
                                struct query_value *out);
/* A token's :above or :below as the codes that it stands for; of media types
 * :below stays, the index knows.  ERR_INVALID for a code of which nothing is
 * known. */
MUST_CHECK enum err clause_expand_hierarchy(struct parser *p,
                                            struct query_clause *c);
/* Strict: ERR_INVALID "<what> <name>"; lenient: noted, OK. */
MUST_CHECK enum err parser_ignore(struct parser *p, struct str name,
                                  const char *what);

/* Cuts at `at` where it is not escaped by '\'. */
bool escaped_cut(struct str *rest, char at, struct str *out);
/* \, \$ \| \\ as the characters they stand for. */
struct str escaped_plain(struct arena *a, struct str s);

#endif
