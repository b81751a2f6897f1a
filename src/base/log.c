#include "base/log.h"

#include <stdatomic.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"

#define LINE_MAX_BYTES ((size_t)8 * 1024)

static _Atomic int lowest = LOG_INFO;

void log_set_level(enum log_level level)
{
    atomic_store(&lowest, (int)level);
}

static void write_line(struct buf *b)
{
    struct str line;
    if (buf_view(b, &line) != OK)
        return; /* too long for a log: nothing half is printed */
    while (line.n > 0) {
        ssize_t put = write(STDERR_FILENO, line.p, line.n);
        if (put <= 0)
            return;
        line = str_from(line, (size_t)put);
    }
}

void log_write(enum log_level level, const char *event,
               const struct log_field *fields, size_t n)
{
    static const struct str names[] = { STR_INIT("debug"), STR_INIT("info"),
                                        STR_INIT("warn"), STR_INIT("error") };
    if ((int)level < atomic_load_explicit(&lowest, memory_order_relaxed))
        return;
    AUTO_BUF b = BUF(LINE_MAX_BYTES);
    json_object(&b);
    json_key(&b, STR("time"));
    buf_add_char(&b, '"');
    clock_add_instant(&b, clock_now_ms());
    buf_add_char(&b, '"');
    json_member(&b, STR("level"), names[level]);
    json_member(&b, STR("event"), str_of(event));
    for (size_t i = 0; i < n; i++) {
        if (fields[i].text.p == NULL)
            json_member_i64(&b, str_of(fields[i].name), fields[i].number);
        else
            json_member(&b, str_of(fields[i].name), fields[i].text);
    }
    json_object_end(&b);
    buf_add_char(&b, '\n');
    write_line(&b);
}
