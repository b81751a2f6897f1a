#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "sandbox/make.h"
#include "sandbox/person.h"

int main(int argc, char **argv)
{
    uint64_t people = PERSON_NAMED;
    const char *dir = NULL;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--write") == 0)
            dir = argv[i + 1];
        else if (strcmp(argv[i], "--generate") == 0 &&
                 (!str_to_u64(str_of(argv[i + 1]), &people) ||
                  people > PERSON_MAX))
            return 2;
    }
    struct why w = { "" };
    if (dir != NULL && make_files(dir, (unsigned)people, &w) != OK) {
        (void)fprintf(stderr, "tributary-sandbox: %s\n", w.text);
        return 1;
    }
    return dir == NULL ? 2 : 0;
}
