/* import_int.h - between import.c and the readers, one a shape of list. */
#ifndef DIRECTORY_IMPORT_INT_H
#define DIRECTORY_IMPORT_INT_H

#include "base/json.h"
#include "directory/take_int.h"

/* A list while it is read: what its file says about all of it, and what its
 * readers found so far. */
struct list {
    struct arena *a;
    struct str file;   /* without folders */
    struct str title;  /* "Drchrono Inc", out of the file's name */
    struct str vendor; /* guessed from the file's name; "default" */
    struct str kind;   /* "health_plan" or "health_system" */
    struct str format;
    struct entry *entries;
    size_t count, room;
    size_t unnamed; /* how many had no name */
};

/* Adds one, with the list's vendor and kind where it has none. */
MUST_CHECK enum err list_add(struct list *list, const struct entry *e);
MUST_CHECK enum err list_refuse(struct list *list, struct str name,
                                struct str reason);

/* ERR_FORMAT: not this shape. */
MUST_CHECK enum err read_lantern(struct list *list, struct yyjson_val *json);
MUST_CHECK enum err read_endpoints(struct list *list, struct yyjson_val *json);
MUST_CHECK enum err read_brands(struct list *list, struct yyjson_val *json);
MUST_CHECK enum err read_lists(struct list *list, struct yyjson_val *json);
MUST_CHECK enum err read_csv(struct list *list, struct str text);

/* FHIR addresses into locations; more than SYSTEM_LOCATIONS_MAX are cut. */
MUST_CHECK enum err read_addresses(struct arena *a, struct yyjson_val *list,
                                   struct entry *e);
/* Why an Endpoint of that status is left out; "" when it is not. */
struct str endpoint_refusal(struct yyjson_val *endpoint);

#endif
