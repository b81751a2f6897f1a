#include "fhir/code_set_int.h"

const struct code_set *code_set_find(enum release release, struct str url)
{
    const struct code_set_table *t = &code_set_tables[release];
    url = str_slice(url, 0, str_find(url, '|'));
    size_t low = 0, high = t->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp(t->sets[middle].url, url);
        if (order == 0)
            return &t->sets[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
