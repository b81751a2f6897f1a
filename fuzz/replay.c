/* replay.c - runs a fuzz target over the files of a folder, as an ordinary
 * test: replay FOLDER. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL || fseek(f, 0, SEEK_END) != 0)
        return -1;
    long size = ftell(f);
    rewind(f);
    /* Exactly the size, so that ASan sees a read behind the end. */
    uint8_t *data = malloc(size > 0 ? (size_t)size : 1);
    int is_read = data != NULL && size >= 0 &&
                  fread(data, 1, (size_t)size, f) == (size_t)size;
    (void)fclose(f);
    if (is_read)
        (void)LLVMFuzzerTestOneInput(data, (size_t)size);
    free(data);
    return is_read ? 0 : -1;
}

int main(int argc, char **argv)
{
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    if (folder == NULL) {
        (void)fprintf(stderr, "replay: no folder %s\n",
                      argc == 2 ? argv[1] : "");
        return 1;
    }
    int n = 0;
    for (struct dirent *e = readdir(folder); e != NULL; e = readdir(folder)) {
        char path[4096];
        if (e->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", argv[1], e->d_name);
        if (replay(path) != 0) {
            (void)fprintf(stderr, "replay: cannot read %s\n", path);
            return 1;
        }
        n++;
    }
    closedir(folder);
    printf("%d inputs\n", n);
    return n > 0 ? 0 : 1; /* an empty corpus tests nothing */
}
