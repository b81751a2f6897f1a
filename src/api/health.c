#include "api/health.h"

#include "api/access.h"
#include "base/json.h"
#include "db/db.h"
#include "http/server.h"
#include "jobs/jobs.h"
#include "store/store.h"

#define JSON_TYPE STR("application/json; charset=utf-8")

enum err health_alive(struct http_request *r, struct http_response *out)
{
    (void)r;
    http_text(out, 200, JSON_TYPE, STR("{\"status\":\"ok\"}"));
    return OK;
}

enum err health_ready(struct http_request *r, struct http_response *out)
{
    if (db_is_ready(services_of(r)->db))
        http_text(out, 200, JSON_TYPE, STR("{\"status\":\"ready\"}"));
    else
        http_text(out, 503, JSON_TYPE, STR("{\"status\":\"not ready\"}"));
    return OK;
}

static void add(struct buf *b, const char *name, const char *type,
                int64_t value)
{
    buf_add(b, STR("# TYPE tributary_"));
    buf_add(b, str_of(name));
    buf_add_char(b, ' ');
    buf_add(b, str_of(type));
    buf_add(b, STR("\ntributary_"));
    buf_add(b, str_of(name));
    buf_add_char(b, ' ');
    buf_add_i64(b, value);
    buf_add_char(b, '\n');
}

enum err health_metrics(struct http_request *r, struct http_response *out)
{
    struct services *s = services_of(r);
    struct buf *b = &out->body;
    http_set_type(out, STR("text/plain; version=0.0.4; charset=utf-8"));
    http_server_metrics(s->server, b);
    struct db_stats db = db_stats(s->db);
    add(b, "db_write_queue", "gauge", db.queued);
    add(b, "db_writes_total", "counter", db.writes);
    add(b, "db_commits_total", "counter", db.commits);
    struct store_stats store = store_stats(s->store);
    add(b, "records_hot", "gauge", store.records_hot);
    add(b, "records_hot_bytes", "gauge", store.bytes_hot);
    add(b, "record_hits_total", "counter", store.hits);
    add(b, "record_misses_total", "counter", store.misses);
    add(b, "store_commits_total", "counter", store.commits);
    struct jobs_stats jobs = jobs_stats(s->jobs);
    add(b, "jobs_waiting", "gauge", jobs.waiting);
    add(b, "jobs_running", "gauge", jobs.running);
    add(b, "jobs_done_total", "counter", jobs.done);
    add(b, "jobs_failed_total", "counter", jobs.failed);
    return OK;
}
