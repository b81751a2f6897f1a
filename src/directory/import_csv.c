/* CSV (RFC 4180) with a header; columns are known by words in their names. */
#include "directory/import_int.h"

#define CSV_COLUMNS_MAX 64
#define CSV_CELL_MAX    ((size_t)64 * 1024)

/* One cell off *rest; *is_last: a line ended behind it. */
static struct str take_cell(struct arena *a, struct str *rest, bool *is_last)
{
    struct buf b = BUF_IN(a, CSV_CELL_MAX);
    bool is_quoted = false;
    size_t i = 0;
    buf_add(&b, STR(""));
    for (; i < rest->n; i++) {
        char c = rest->p[i];
        bool is_doubled =
            is_quoted && c == '"' && i + 1 < rest->n && rest->p[i + 1] == '"';
        if (is_doubled)
            buf_add_char(&b, rest->p[i++]);
        else if (c == '"')
            is_quoted = !is_quoted;
        else if (!is_quoted && (c == ',' || c == '\n'))
            break;
        else
            buf_add_char(&b, c);
    }
    *is_last = i >= rest->n || rest->p[i] == '\n';
    *rest = str_from(*rest, i + 1);
    struct str cell;
    return buf_view(&b, &cell) == OK ? str_trim(cell) : STR("");
}

static size_t take_line(struct arena *a, struct str *rest,
                        struct str cells[CSV_COLUMNS_MAX])
{
    size_t n = 0;
    bool is_last = rest->n == 0;
    while (!is_last) {
        struct str cell = take_cell(a, rest, &is_last);
        if (n < CSV_COLUMNS_MAX)
            cells[n++] = cell;
    }
    return n;
}

struct columns {
    size_t url, name, other, zip, city, state, line; /* SIZE_MAX: none */
    bool is_of_pages; /* its URLs are where vendors describe their API */
};

static bool has(struct str name, struct str word)
{
    for (size_t i = 0; i + word.n <= name.n; i++)
        if (str_eq_nocase(str_slice(name, i, i + word.n), word))
            return true;
    return false;
}

static void set(size_t *to, size_t i)
{
    if (*to == SIZE_MAX)
        *to = i;
}

static struct columns read_header(const struct str *cells, size_t n)
{
    struct columns c = { SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX,
                         SIZE_MAX, SIZE_MAX, SIZE_MAX, false };
    for (size_t i = 0; i < n; i++) {
        if (has(cells[i], STR("brand name")))
            c.name = i; /* what members know wins over the parent */
        else if (has(cells[i], STR("url")) || has(cells[i], STR("endpoint")))
            set(&c.url, i);
        else if (has(cells[i], STR("source"))) {
            c.is_of_pages = true;
            set(&c.url, i);
        } else if (has(cells[i], STR("parent")))
            set(&c.other, i);
        else if (has(cells[i], STR("zip")) || has(cells[i], STR("postal")))
            set(&c.zip, i);
        else if (has(cells[i], STR("city")))
            set(&c.city, i);
        else if (str_eq_nocase(cells[i], STR("state")))
            set(&c.state, i);
        else if (has(cells[i], STR("address")))
            set(&c.line, i);
        else if (has(cells[i], STR("name")) || has(cells[i], STR("organiz")) ||
                 has(cells[i], STR("developer")))
            set(&c.name, i);
    }
    return c;
}

static struct str cell_at(const struct str *cells, size_t n, size_t i)
{
    return i < n ? cells[i] : STR("");
}

static enum err add(struct list *list, const struct columns *c,
                    const struct str *cells, size_t n)
{
    struct entry e = {
        .url = cell_at(cells, n, c->url),
        .name = cell_at(cells, n, c->name),
        .brand = cell_at(cells, n, c->other),
    };
    if (e.url.n == 0 && e.name.n == 0)
        return OK; /* an empty line */
    if (c->is_of_pages)
        e.refusal = STR("a page where a list is, not an endpoint");
    e.locations = arena_zalloc(list->a, 1, sizeof *e.locations);
    if (e.locations == NULL)
        return ERR_NOMEM;
    e.locations[0] = (struct system_location){
        .line = cell_at(cells, n, c->line),
        .city = cell_at(cells, n, c->city),
        .state = cell_at(cells, n, c->state),
        .postal_code = cell_at(cells, n, c->zip),
    };
    e.location_count = 1;
    /* a list of states: the state is who it is */
    if (has(list->file, STR("medicaid")) && e.locations[0].state.n > 0)
        e.name = e.locations[0].state;
    return list_add(list, &e);
}

enum err read_csv(struct list *list, struct str text)
{
    struct str cells[CSV_COLUMNS_MAX];
    size_t n = take_line(list->a, &text, cells);
    struct columns columns = read_header(cells, n);
    enum err err = OK;
    if (columns.url == SIZE_MAX)
        return ERR_FORMAT;
    list->format = STR("csv");
    while (text.n > 0 && err == OK) {
        n = take_line(list->a, &text, cells);
        err = add(list, &columns, cells, n);
    }
    return err == OK ? arena_err(list->a) : err;
}
