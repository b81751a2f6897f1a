#include "http/server_int.h"

#include "base/file.h"

#define PEM_BYTES_MAX ((size_t)1024 * 1024)

static enum err read_pem(const char *path, char **out, struct why *w)
{
    AUTO_BUF b = BUF(PEM_BYTES_MAX);
    enum err err = file_read(path, &b, w);
    if (err != OK)
        return err;
    struct str text;
    if (buf_view(&b, &text) == OK &&
        str_search(text, STR("-----BEGIN ")) == text.n)
        return why_of(w, ERR_FORMAT, str_of(path), STR(" is not a PEM file"));
    return buf_take(&b, out);
}

enum err tls_read_files(const struct http_server_options *o, char **key,
                        char **cert, struct why *w)
{
    if (o->cert_file == NULL && o->key_file == NULL)
        return OK;
    if (o->cert_file == NULL || o->key_file == NULL)
        return why(w, ERR_INVALID,
                   "TLS needs both a certificate file and a key file");
    enum err err = read_pem(o->key_file, key, w);
    if (err != OK)
        return err;
    return read_pem(o->cert_file, cert, w);
}
