/* log.h - one JSON line an event, to standard error.
 * Every event has a stable id ("http.access", "ingest.done"); the fields are
 * typed.  No secrets, no query strings, no PHI: what is not put in a field
 * cannot be printed.  Any thread.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdint.h>

#include "base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_field {
    const char *name;
    struct str text; /* p NULL: the number counts */
    int64_t number;
};
#define LOG_STR(name_, text_)   ((struct log_field){ name_, text_, 0 })
#define LOG_INT(name_, number_) ((struct log_field){ name_, STR_NONE, number_ })

/* Lines below this level are dropped; LOG_INFO at start. */
void log_set_level(enum log_level level);

void log_write(enum log_level level, const char *event,
               const struct log_field *fields, size_t n);

/* log_event(LOG_INFO, "serve.ready", LOG_INT("port", 8080)) */
#define log_event(level_, event_, ...)                                         \
    log_write((level_), (event_), (const struct log_field[]){ __VA_ARGS__ },   \
              sizeof((const struct log_field[]){ __VA_ARGS__ }) /              \
                  sizeof(struct log_field))

#endif
