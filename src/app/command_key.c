/* tributary key: the master key that seals what others trusted us with. */
#include <string.h>

#include "app/command.h"
#include "app/config.h"
#include "base/file.h"
#include "base/rand.h"

#define KEY_BYTES 32

static int run(const struct command_line *line)
{
    struct why w = { 0 };
    if (line->word_count != 2 || strcmp(line->words[0], "make") != 0)
        return command_usage("key", "wants make FILE");
    AUTO_BUF there = BUF(65536);
    if (file_read(line->words[1], &there, NULL) != ERR_NOT_FOUND)
        return command_usage("key", "that file exists; it is not overwritten");
    struct str key = rand_hex(line->arena, KEY_BYTES);
    enum err err = file_write(line->words[1], key, 0600, &w);
    return err == OK ? EXIT_DONE : command_failed("key", err, &w);
}

const struct command command_key = {
    .name = "key",
    .summary = "make a master key",
    .usage = "usage: tributary key make FILE\n\n"
             "Writes 32 random bytes in hex, mode 0600, for master-key-file. "
             "Keep a copy apart\nfrom the database: without it no upstream "
             "token can be opened.\n",
    .run = run,
};
