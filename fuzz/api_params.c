/* Parameters of a request from anywhere: "query\nbody". */
#include <assert.h>
#include <stdint.h>

#include "api/params.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct http_header headers[] = {
        { STR_INIT("client_id"), STR_INIT("from a header") }
    };
    AUTO_ARENA a = ARENA((size_t)64 * 1024 * 1024);
    struct str all = { (const char *)data, size };
    size_t line = str_find(all, '\n');
    struct http_request r = {
        .query = str_slice(all, 0, line),
        .body = str_from(all, line + 1),
        .headers = headers,
        .header_count = 1,
        .arena = &a,
    };
    struct params p;
    int64_t number;
    if (url_parse_params(&a, r.query, &r.params) != OK ||
        params_read(&r, &p) != OK)
        return 0;
    struct str id = params_get(&p, STR("client_id"));
    assert(id.p != NULL); /* the header is there in any case */
    struct str name = params_get(&p, STR("app_user_id"));
    assert(name.p != NULL || name.n == 0);
    bool is_number = params_get_i64(&p, STR("oneup_user_id"), &number);
    assert(!is_number || params_get(&p, STR("oneup_user_id")).n > 0);
    return 0;
}
