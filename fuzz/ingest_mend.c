/* Any bytes as a system's answer: what JSON takes needs no mending, and what
 * was mended once needs it no more. */
#include <assert.h>
#include <stdint.h>

#include "base/json.h"
#include "ingest/ingest_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA a = ARENA((size_t)64 << 20);
    struct str text = { (const char *)data, size }, out, plain;
    struct buf once = BUF_IN(&a, size * 6 + 16);
    struct buf twice = BUF_IN(&a, size * 36 + 96);
    struct yyjson_val *root;
    struct why w = { "" };
    char *copy;
    bool is_json = json_parse(&a, text, &root, &w) == OK;
    bool is_mended = mend_text(text, &once);
    assert(!is_json || !is_mended);
    if (once.len > 0) {
        assert(buf_view(&once, &out) == OK);
        assert(!mend_text(out, &twice));
    }
    if (page_parse(&a, text, &root, &plain, &copy, &is_mended, &w) == OK)
        assert(plain.n <= size * 6);
    else
        assert(!is_json || arena_err(&a) != OK || size > 100000 ||
               w.text[0] != '\0');
    return 0;
}
