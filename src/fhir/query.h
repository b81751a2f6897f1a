/* query.h - a search as asked, parsed and checked against the tables; what
 * record/ evaluates.  FHIR R4 section 3.1.1 (search), contract section 7.
 */
#ifndef FHIR_QUERY_H
#define FHIR_QUERY_H

#include "base/url.h"
#include "fhir/search_param.h"

enum query_prefix {
    PREFIX_EQ, /* also: none written */
    PREFIX_NE,
    PREFIX_GT,
    PREFIX_LT,
    PREFIX_GE,
    PREFIX_LE,
    PREFIX_SA,
    PREFIX_EB,
    PREFIX_AP,
};

enum query_modifier {
    MODIFIER_NONE,
    MODIFIER_EXACT,
    MODIFIER_CONTAINS,
    MODIFIER_MISSING, /* value: "true" or "false" in is_missing */
    MODIFIER_NOT,
    MODIFIER_TEXT,
    MODIFIER_IN,
    MODIFIER_NOT_IN,
    MODIFIER_ABOVE,
    MODIFIER_BELOW,
    MODIFIER_OF_TYPE,
    MODIFIER_IDENTIFIER,
    MODIFIER_TYPE, /* subject:Patient=1: the value has target_type */
};

/* One of a clause's alternatives; which fields count is the kind's. */
struct query_value {
    enum query_prefix prefix;
    struct str text; /* the value unescaped; strings: folded in folded */
    struct str folded;
    struct str system, code; /* token, quantity unit, identifier */
    bool has_system;         /* "|code" has one, empty; "code" has none */
    bool has_code;           /* "system|" has none */
    uint16_t target_type;    /* reference: TYPE_NONE when not said */
    struct str id;           /* reference's id; text holds it as written */
    bool is_absolute;        /* reference: text is a whole URL */
    int64_t low, high;       /* date, half open */
    double number, number_low, number_high; /* implicit range of its digits */
    const struct query_value *parts;        /* composite */
    size_t part_count;
    bool is_converted; /* an alternative in another UCUM unit, not as asked */
};

enum clause_kind {
    CLAUSE_PARAM, /* an indexed parameter: row */
    CLAUSE_ID,
    CLAUSE_LAST_UPDATED,
    CLAUSE_CHAIN,   /* row is a reference; chained holds what follows */
    CLAUSE_HAS,     /* _has:type:row:...: chained is on type */
    CLAUSE_NOTHING, /* can match nothing (a type without the parameter) */
    CLAUSE_ALL_OF,  /* of parts */
    CLAUSE_ANY_OF,
    CLAUSE_NONE_OF,
};

struct query_clause {
    enum clause_kind kind;
    uint16_t row; /* in the queried type's rows; PARAM_NONE if special */
    const uint16_t *rows; /* root searches over several types: row per type */
    enum query_modifier modifier;
    bool is_missing;
    const struct query_value *values; /* OR */
    size_t value_count;
    uint16_t type; /* CHAIN: target type; HAS: source type */
    const struct query_clause *chained;
    const struct query_clause *parts;
    size_t part_count;
    struct str name; /* as asked, for messages and links */
};

enum query_sort_key { SORT_ID, SORT_LAST_UPDATED, SORT_PARAM };
struct query_sort {
    enum query_sort_key key;
    uint16_t row;
    bool is_descending;
};

struct query_include {
    uint16_t source_type; /* TYPE_NONE: any */
    uint16_t row;         /* PARAM_NONE: '*' */
    uint16_t target_type; /* TYPE_NONE: any */
    bool is_reverse, is_iterate;
};

enum query_total { TOTAL_ACCURATE, TOTAL_NONE, TOTAL_ESTIMATE };
enum query_summary {
    SUMMARY_FALSE,
    SUMMARY_TRUE,
    SUMMARY_TEXT,
    SUMMARY_DATA,
    SUMMARY_COUNT
};

struct query {
    enum release release;
    uint16_t type; /* TYPE_NONE: root search over types[] */
    const uint16_t *types;
    size_t type_count;
    const struct query_clause *clauses; /* AND */
    size_t clause_count;
    const struct query_sort *sorts; /* none: ascending id */
    size_t sort_count;
    const struct query_include *includes;
    size_t include_count;
    const struct str *own_bases; /* "https://x/r4" is where we are, too */
    size_t own_base_count;
    uint16_t
        compartment; /* only the resources of this one's compartment: its */
    struct str compartment_id; /* type and id; p NULL: of all */
    unsigned count;            /* page size, at most the release's */
    bool has_count;            /* it was asked */
    unsigned skip;
    struct str after_id; /* behind this id, of a root search "Type/id"; p NULL:
                            from the start */
    enum query_total total;
    enum query_summary summary;
    const struct str *elements;
    size_t element_count;
    const struct str *ignored; /* lenient: names that were not understood */
    const char *const *ignored_why;
    size_t ignored_count;
};

enum { QUERY_STRICT = 1 }; /* Prefer: handling=strict */

/* type TYPE_NONE: a search at the root (_type).  ERR_INVALID with the name of
 * what is wrong.  _format, _pretty and the contract's access_token, client_id
 * ... are not search parameters and are passed over. */
MUST_CHECK enum err query_parse(struct arena *a, enum release release,
                                uint16_t type, const struct url_params *params,
                                unsigned flags, struct query *out,
                                struct why *w);
/* The same for a server with addresses of its own, without a '/' at their end:
 * a reference to one of them is one to the record. */
MUST_CHECK enum err query_parse_at(struct arena *a, enum release release,
                                   uint16_t type,
                                   const struct url_params *params,
                                   unsigned flags, const struct str *own_bases,
                                   size_t own_base_count, struct query *out,
                                   struct why *w);

#endif
