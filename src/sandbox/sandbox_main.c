/* tributary-sandbox: pretend health systems for a person, a test, a demo. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "sandbox/faults.h"
#include "sandbox/make.h"
#include "sandbox/person.h"
#include "sandbox/site.h"

#define PORT_DEFAULT 9001
#define OUT_MAX      ((size_t)4 * 1024 * 1024)

static const char help[] =
    "usage: tributary-sandbox [options]\n\n"
    "Pretend health systems and plans with synthetic people, one path each, on "
    "one port.\n\n"
    "  --port N            default 9001; 0: any free one\n"
    "  --address A         default 127.0.0.1\n"
    "  --base-url URL      how others reach it, when that differs\n"
    "  --cert F --key F    TLS by PEM files; default plain HTTP\n"
    "  --patients DIR      FHIR Bundles (.json, .json.gz), each file a "
    "person:\n"
    "                      user name = file name without ending,\n"
    "                      password = tributary\n"
    "  --generate N        invented people, default 20, the contract's test\n"
    "                      users among them\n"
    "  --redirect URI      a registered redirect URI, repeatable; default: "
    "any\n"
    "                      on loopback\n"
    "  --token-seconds N   life of access tokens; default: each system's\n"
    "  --faults LIST       \"epic:slow,429 oracle:expire\"; \"*\" is every "
    "system\n"
    "  --print-systems     the systems, for `tributary system import -`, and "
    "end\n"
    "  --print-login       user name and password of a test user, and end\n"
    "  --write DIR         write the invented people's Bundles, and end\n"
    "  --help\n\n"
    "Faults; also by user name, \"wilmasmart+slow+429\", for that connection "
    "only:\n";

struct settings {
    struct site_options site;
    const char *write_dir;
    uint64_t port, people, seconds;
    bool prints_systems, prints_login, prints_help;
};

static void put(FILE *to, const struct buf *b)
{
    (void)fwrite(b->data, 1, b->len, to);
}

static int complain(const char *what, const char *about)
{
    (void)fprintf(stderr,
                  "tributary-sandbox: %s: %s\n"
                  "Try `tributary-sandbox --help`.\n",
                  about, what);
    return 2;
}

/* An option that stands alone; false when it is none. */
static bool take_flag(struct settings *s, const char *name)
{
    bool *flag = strcmp(name, "--print-systems") == 0 ? &s->prints_systems
                 : strcmp(name, "--print-login") == 0 ? &s->prints_login
                 : strcmp(name, "--help") == 0        ? &s->prints_help
                                                      : NULL;
    if (flag != NULL)
        *flag = true;
    return flag != NULL;
}

static bool take_text(struct settings *s, const char *name, const char *value)
{
    const struct {
        const char *name;
        const char **to;
    } texts[] = {
        { "--address", &s->site.address },
        { "--base-url", &s->site.base_url },
        { "--cert", &s->site.cert_file },
        { "--key", &s->site.key_file },
        { "--patients", &s->site.patients },
        { "--faults", &s->site.faults },
        { "--write", &s->write_dir },
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcmp(texts[i].name, name) != 0)
            continue;
        *texts[i].to = value;
        return true;
    }
    if (strcmp(name, "--redirect") != 0 ||
        s->site.redirect_count == SITE_REDIRECTS_MAX)
        return false;
    s->site.redirects[s->site.redirect_count++] = value;
    return true;
}

static bool take_number(struct settings *s, const char *name, const char *value)
{
    const struct {
        const char *name;
        uint64_t *to, most;
    } numbers[] = {
        { "--port", &s->port, 65535 },
        { "--generate", &s->people, PERSON_MAX },
        { "--token-seconds", &s->seconds, 365 * 86400 },
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (strcmp(numbers[i].name, name) == 0)
            return str_to_u64(str_of(value), numbers[i].to) &&
                   *numbers[i].to <= numbers[i].most;
    return false;
}

static int read_settings(int argc, char **argv, struct settings *s)
{
    *s = (struct settings){ .port = PORT_DEFAULT, .people = PERSON_NAMED };
    for (int i = 1; i < argc; i++) {
        if (take_flag(s, argv[i]))
            continue;
        if (i + 1 == argc)
            return complain("not an option, or its value is missing", argv[i]);
        if (!take_text(s, argv[i], argv[i + 1]) &&
            !take_number(s, argv[i], argv[i + 1]))
            return complain("not an option, or not its value", argv[i]);
        i++;
    }
    s->site.port = (uint16_t)s->port;
    s->site.generated = (unsigned)s->people;
    s->site.token_seconds = (int64_t)s->seconds;
    return 0;
}

static int print_help(void)
{
    AUTO_BUF b = BUF(OUT_MAX);
    buf_add(&b, str_of(help));
    faults_print(&b);
    put(stdout, &b);
    return 0;
}

/* For a server on that port, whether it runs or not. */
static int print_systems(const struct settings *s)
{
    AUTO_BUF url = BUF(4096);
    if (s->site.base_url != NULL) {
        buf_add(&url, str_of(s->site.base_url));
    } else {
        buf_add(&url,
                s->site.cert_file != NULL ? STR("https://") : STR("http://"));
        buf_add(&url, s->site.address != NULL ? str_of(s->site.address)
                                              : STR("127.0.0.1"));
        buf_add_char(&url, ':');
        buf_add_u64(&url, s->port);
    }
    AUTO_BUF b = BUF(OUT_MAX);
    systems_print(&b, (struct str){ url.data, url.len });
    put(stdout, &b);
    return 0;
}

static int print_login(void)
{
    struct person p;
    person_get(1, &p);
    (void)printf("%s / %s\n", p.username, p.password);
    return 0;
}

static int serve(const struct settings *s)
{
    sigset_t stop;
    int number;
    struct site *site = NULL;
    struct why w = { "" };
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    pthread_sigmask(SIG_BLOCK, &stop, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    enum err err = site_start(&s->site, &site, &w);
    if (err != OK) {
        (void)fprintf(stderr, "tributary-sandbox: %s\n",
                      w.text[0] != '\0' ? w.text : err_name(err));
        return 1;
    }
    log_event(LOG_INFO, "sandbox.ready", LOG_STR("url", site_base_url(site)),
              LOG_INT("systems", systems_count),
              LOG_INT("people", (int64_t)accounts_count(site_accounts(site))));
    (void)sigwait(&stop, &number);
    site_stop(site);
    return 0;
}

int main(int argc, char **argv)
{
    struct settings s;
    struct why w = { "" };
    int status = read_settings(argc, argv, &s);
    if (status != 0)
        return status;
    if (s.prints_help)
        return print_help();
    if (s.prints_systems)
        return print_systems(&s);
    if (s.prints_login)
        return print_login();
    if (s.write_dir == NULL)
        return serve(&s);
    if (make_files(s.write_dir, (unsigned)s.people, &w) == OK)
        return 0;
    (void)fprintf(stderr, "tributary-sandbox: %s\n", w.text);
    return 1;
}
