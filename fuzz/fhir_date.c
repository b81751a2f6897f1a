/* Dates and decimals of any text. */
#include <assert.h>
#include <stdint.h>

#include "fhir/date.h"
#include "fhir/extract_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = { (const char *)data, size };
    int64_t low = 7, high = 7;
    double value, from, to;
    enum err err = date_range(text, &low, &high);
    if (err == OK)
        assert(low < high);
    else
        assert(err == ERR_FORMAT && low == 7 && high == 7);
    if (extract_decimal(text, &value, &from, &to))
        assert(from <= value && value <= to);
    return 0;
}
