/* The work of a commit that needs no lock, on several threads when it is
 * much. */
#include <string.h>

#include "store/store_int.h"

#define MANY       512 /* below: not worth a thread */
#define PER_TURN   32
#define THREADS_2  2048
#define NUMBER_MAX 24

struct crew {
    struct prepare *p;
    prepare_step *step;
    atomic_size_t next;
    atomic_int err;
};
struct worker {
    struct crew *crew;
    struct arena *arena;
    pthread_t thread;
};

static enum err work_through(struct crew *crew, struct arena *a, ZSTD_CCtx *c)
{
    struct prepare *p = crew->p;
    for (;;) {
        size_t from = atomic_fetch_add(&crew->next, PER_TURN);
        if (from >= p->n || atomic_load(&crew->err) != OK)
            return OK;
        for (size_t i = from; i < from + PER_TURN && i < p->n; i++) {
            enum err err = crew->step(p, &p->items[i], a, c);
            if (err != OK)
                return err;
        }
    }
}

static void *work(void *context)
{
    struct worker *w = context;
    struct packer *packer = &w->crew->p->store->packer;
    ZSTD_CCtx *c = packer_take(packer);
    enum err err = c == NULL ? ERR_NOMEM : work_through(w->crew, w->arena, c);
    packer_give(packer, c);
    if (err != OK)
        atomic_store(&w->crew->err, (int)err);
    return NULL;
}

enum err prepare_all(struct prepare *p, prepare_step *step)
{
    struct crew crew = { .p = p, .step = step };
    struct worker workers[PREPARE_THREADS];
    size_t wanted = p->n < MANY ? 1 : p->n < THREADS_2 ? 2 : PREPARE_THREADS;
    size_t started = 1;
    for (size_t i = 0; i < wanted; i++)
        workers[i] = (struct worker){ &crew, &p->arenas[i], 0 };
    for (; started < wanted; started++)
        if (pthread_create(&workers[started].thread, NULL, work,
                           &workers[started]) != 0)
            break; /* fewer do it as well */
    work(&workers[0]);
    for (size_t i = 1; i < started; i++)
        pthread_join(workers[i].thread, NULL);
    return (enum err)atomic_load(&crew.err);
}

void prepare_fini(struct prepare *p)
{
    for (size_t i = 0; i < PREPARE_THREADS; i++)
        arena_fini(&p->arenas[i]);
}

enum err prepare_values(struct prepare *p, struct prepared *item,
                        struct arena *a, ZSTD_CCtx *c)
{
    (void)c;
    const struct resource *r = item->op->resource;
    if (r == NULL)
        return OK;
    enum err err = resource_extract(a, r, &item->cells, &item->cell_count,
                                    &item->op->unread);
    if (err != OK)
        return err;
    size_t kept = 0;
    for (size_t i = 0; i < item->cell_count; i++)
        if (!is_skipped(p->store, p->release, item->cells[i].param))
            item->cells[kept++] = item->cells[i];
    item->cell_count = kept;
    struct buf tail = BUF_IN(a, RESOURCE_BYTES_MAX * 2);
    buf_reserve(&tail, r->text.n + 512);
    resource_tail(r, &tail);
    err = buf_view(&tail, &item->tail);
    if (err == OK)
        item->content = hash128(item->tail);
    return err;
}

enum err prepare_body(struct prepare *p, struct prepared *item, struct arena *a,
                      ZSTD_CCtx *c)
{
    const struct resource *r = item->op->resource;
    if (!item->writes)
        return OK;
    if (r == NULL) {
        item->dictionary = DELETION;
        item->data = arena_cat(a, release_type_name(p->release, item->type),
                               STR("/"), item->id);
        return arena_err(a);
    }
    struct buf number = BUF_IN(a, NUMBER_MAX);
    buf_add_i64(&number, item->op->version_id);
    struct resource_stamp stamp = {
        .id = item->id,
        .version_id = { number.data, number.len },
        .last_updated_ms = item->op->last_updated_ms,
    };
    AUTO_BUF text = BUF(RESOURCE_BYTES_MAX * 3);
    buf_reserve(&text, item->tail.n + 256);
    resource_head(r, &stamp, &text);
    buf_add(&text, item->tail);
    struct str view;
    enum err err = buf_view(&text, &view);
    if (err == OK)
        err = body_pack(&p->store->packer, c, p->release, view, a,
                        &item->dictionary, &item->data);
    return err;
}
