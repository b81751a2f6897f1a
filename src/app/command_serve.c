/* tributary serve: until SIGTERM or SIGINT. */
#include <signal.h>

#include "app/command.h"
#include "app/serve.h"
#include "base/log.h"

static void set_level(struct str name)
{
    log_set_level(str_eq(name, STR("debug"))   ? LOG_DEBUG
                  : str_eq(name, STR("warn"))  ? LOG_WARN
                  : str_eq(name, STR("error")) ? LOG_ERROR
                                               : LOG_INFO);
}

/* Every thread inherits the mask; only sigwait() below sees them. */
static void block(sigset_t *stop)
{
    sigemptyset(stop);
    sigaddset(stop, SIGTERM);
    sigaddset(stop, SIGINT);
    sigaddset(stop, SIGHUP);
    pthread_sigmask(SIG_BLOCK, stop, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static int run(const struct command_line *line)
{
    struct why w = { 0 };
    struct serve *serve = NULL;
    sigset_t stop;
    int number = 0;
    block(&stop);
    set_level(line->config->log_level);
    enum err err = serve_start(line->config, line->arena, &serve, &w);
    if (err != OK)
        return command_failed("serve", err, &w);
    log_event(LOG_INFO, "serve.ready", LOG_STR("listen", line->config->listen),
              LOG_INT("port", serve_port(serve)));
    sigwait(&stop, &number);
    log_event(LOG_INFO, "serve.stopping", LOG_INT("signal", number));
    serve_stop(serve);
    log_event(LOG_INFO, "serve.stopped", LOG_INT("signal", number));
    return EXIT_DONE;
}

const struct command command_serve = {
    .name = "serve",
    .summary = "run the server: API, pages and workers",
    .usage = "usage: tributary serve [--port N] [--data DIR] [--role "
             "all|api|worker]\n\n"
             "Without any setting: http://127.0.0.1:8080, data in ./data. "
             "Settings: `tributary config`.\nSIGTERM stops it: requests in "
             "flight finish, jobs are handed back.\n",
    .run = run,
};
