#include "ingest/fetch_int.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/url.h"

#define TOKEN_CHECK_MS 30000
#define PAGE_SIZE      100

void ask_enqueue(struct fetch *f, struct query *q)
{
    q->next = NULL;
    *f->last_waiting = q;
    f->last_waiting = &q->next;
}

struct query *ask_new(struct fetch *f, struct run_type *type, struct str url)
{
    struct query *q = arena_zalloc(&f->run->arena, 1, sizeof *q);
    if (q == NULL)
        return NULL;
    q->type = type;
    q->url = q->first_url = url;
    q->seen = MAP_IN(&f->run->arena);
    q->older = f->all;
    f->all = q;
    ask_enqueue(f, q);
    return q;
}

static struct str search_url(struct run *run, const struct run_type *t,
                             struct str template, bool *has_count)
{
    struct arena *a = &run->arena;
    struct buf b = BUF_IN(a, 8192);
    struct str out = STR_NONE;
    size_t at = str_search(template, STR("{p}"));
    struct str base = run->connection.base_url;
    buf_add(&b, url_join(a, base, t->report.type));
    buf_add_char(&b, '?');
    buf_add(&b, str_slice(template, 0, at));
    url_escape(&b, run->connection.patient_id);
    buf_add(&b, str_from(template, at + 3));
    unsigned size = run->vendor.page_size;
    buf_add(&b, since_param(a, t));
    buf_add(&b, STR("&_count="));
    buf_add_u64(&b, size > 0 ? size : PAGE_SIZE);
    *has_count = true;
    return buf_view(&b, &out) == OK ? out : STR_NONE;
}

bool ask_attempt(struct fetch *f, struct run_type *t)
{
    if (t->plan == NULL || t->attempt >= t->plan->attempt_count)
        return false;
    struct str queries = t->plan->attempts[t->attempt++], one;
    t->was_broken |= t->broken > 0;
    t->open = t->succeeded = t->broken = 0;
    t->is_short = false;
    t->report.upstream_total = -1;
    while (str_cut(&queries, '\n', &one)) {
        bool has_count = false;
        struct str url = search_url(f->run, t, one, &has_count);
        struct query *q = url.p == NULL ? NULL : ask_new(f, t, url);
        if (q == NULL)
            return false;
        q->has_count = has_count;
        t->open++;
    }
    t->queries = t->open;
    answer_set_status(t, STR("running"));
    return t->open > 0;
}

/* Requests under way still point at the old token: it is wiped with the run. */
static enum err retire(struct run *run)
{
    struct old_token *old = arena_zalloc(&run->arena, 1, sizeof *old);
    if (old == NULL)
        return arena_err(&run->arena);
    old->authorization = run->authorization;
    old->next = run->old_tokens;
    run->old_tokens = old;
    return OK;
}

enum err ask_token(struct run *run, bool force)
{
    int64_t now = clock_now_ms();
    AUTO_SECRET token = { 0 };
    AUTO_ARENA a = ARENA((size_t)256 * 1024);
    if (!force && run->authorization.n > 0 &&
        now - run->token_taken_ms < TOKEN_CHECK_MS)
        return OK;
    enum err err = connect_access_token(
        run->ingest->o.connect, &run->connection, force, &token, run->why);
    if (err != OK)
        return err;
    struct str parts[] = { STR("Bearer "), secret_reveal(&token) };
    char *text = arena_alloc(&a, parts[0].n + parts[1].n);
    struct secret fresh;
    if (text == NULL)
        return arena_err(&a);
    memcpy(text, parts[0].p, parts[0].n);
    memcpy(text + parts[0].n, parts[1].p, parts[1].n);
    err = secret_init(&fresh, (struct str){ text, parts[0].n + parts[1].n });
    secret_wipe(text, parts[0].n + parts[1].n);
    if (err != OK)
        return err;
    run->token_taken_ms = now;
    if (str_eq(secret_reveal(&fresh), secret_reveal(&run->authorization))) {
        secret_fini(&fresh);
        return OK;
    }
    err = retire(run);
    if (err != OK) {
        secret_fini(&fresh);
        return err;
    }
    run->token_number++;
    run->authorization = fresh;
    return OK;
}

struct str ask_accept(const struct run *run)
{
    if (run->vendor.accept.n > 0)
        return run->vendor.accept;
    return run->release == DSTU2
               ? STR("application/json+fhir, application/fhir+json;q=0.9, "
                     "application/json;q=0.8")
               : STR("application/fhir+json, application/json;q=0.9");
}

static enum err new_page(struct page **out)
{
    struct page *page = calloc(1, sizeof *page);
    if (page == NULL)
        return ERR_NOMEM;
    page->arena = ARENA(PAGE_BYTES_MAX);
    *out = page;
    return OK;
}

void ask_drop_page(struct query *q)
{
    if (q->page == NULL)
        return;
    arena_fini(&q->page->arena);
    free(q->page);
    q->page = NULL;
}

enum err ask_start(struct fetch *f, struct query *q)
{
    struct run *run = f->run;
    enum err err = ask_token(run, false);
    if (err == OK)
        err = new_page(&q->page);
    if (err != OK)
        return err;
    q->call = (struct http_call){ .method = HTTP_GET,
                                  .url = q->url,
                                  .arena = &q->page->arena,
                                  .answer_max_bytes = PAGE_BYTES_MAX / 4,
                                  .timeout_ms = CALL_MS,
                                  .redirects_max = 3,
                                  .context = q };
    http_call_add_header(&q->call, STR("Authorization"),
                         secret_reveal(&run->authorization));
    http_call_add_header(&q->call, STR("Accept"),
                         q->is_plain_accept ? STR("*/*") : ask_accept(run));
    q->token_number = run->token_number;
    q->start_number = ++run->starts;
    q->type->report.asked++;
    f->active++;
    http_batch_start(f->batch, &q->call);
    return OK;
}
