#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define CHUNK ((size_t)64 * 1024)

static void close_fd(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}
#define AUTO_FD __attribute__((cleanup(close_fd))) int

static enum err failed(struct why *w, const char *doing, const char *path)
{
    int number = errno;
    enum err err = number == ENOENT ? ERR_NOT_FOUND : ERR_IO;
    return why_of(w, err, str_of(doing), STR(" "), str_of(path), STR(": "),
                  str_of(strerror(number)));
}

enum err file_gunzip(struct str packed, struct buf *b)
{
    z_stream z = { 0 };
    if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
        return ERR_NOMEM;
    z.next_in = (z_const Bytef *)packed.p;
    z.avail_in = (uInt)packed.n;
    int answer = Z_OK;
    while (answer != Z_STREAM_END && b->err == OK) {
        size_t left = b->limit - b->len;
        size_t n = left > 0 && left < CHUNK ? left : CHUNK;
        char *room = buf_reserve(b, n); /* sticks when nothing is left */
        if (room == NULL)
            break;
        z.next_out = (Bytef *)room;
        z.avail_out = (uInt)n;
        answer = inflate(&z, Z_NO_FLUSH);
        if (answer != Z_OK && answer != Z_STREAM_END)
            break;
        buf_added(b, n - z.avail_out);
        if (answer == Z_STREAM_END && z.avail_in > 18)
            answer = inflateReset(&z); /* members may follow each other */
        else if (z.avail_in == 0 && z.avail_out > 0)
            break;
    }
    inflateEnd(&z);
    if (b->err != OK)
        return b->err;
    return answer == Z_STREAM_END ? OK : ERR_FORMAT;
}

/* Room for the next read: what the limit leaves, or one byte more to see the
 * end. */
static size_t next_chunk(const struct buf *b)
{
    size_t left = b->limit - b->len;
    return left < CHUNK ? left : CHUNK;
}

static enum err read_fd(int fd, struct buf *b, struct why *w, const char *path)
{
    for (;;) {
        size_t n = next_chunk(b);
        char more, *room = n > 0 ? buf_reserve(b, n) : &more;
        if (room == NULL)
            return b->err;
        ssize_t got = read(fd, room, n > 0 ? n : 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return failed(w, "reading", path);
        if (got == 0)
            return OK;
        if (n == 0)
            return why_of(w, ERR_LIMIT, STR("reading "), str_of(path),
                          STR(": larger than allowed"));
        buf_added(b, (size_t)got);
    }
}

enum err file_read(const char *path, struct buf *b, struct why *w)
{
    AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return failed(w, "opening", path);
    unsigned char magic[2] = { 0 };
    ssize_t seen = pread(fd, magic, 2, 0);
    if (seen != 2 || magic[0] != 0x1f || magic[1] != 0x8b)
        return read_fd(fd, b, w, path);
    AUTO_BUF
    packed = BUF(b->limit);
    enum err err = read_fd(fd, &packed, w, path);
    if (err != OK)
        return err;
    err = file_gunzip((struct str){ packed.data, packed.len }, b);
    if (err != OK)
        return why_of(w, err, STR("unpacking "), str_of(path),
                      STR(": broken or too large"));
    return OK;
}

static enum err write_all(int fd, struct str text)
{
    while (text.n > 0) {
        ssize_t put = write(fd, text.p, text.n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return ERR_IO;
        text = str_from(text, (size_t)put);
    }
    return fsync(fd) == 0 ? OK : ERR_IO;
}

enum err file_write(const char *path, struct str text, unsigned mode,
                    struct why *w)
{
    char beside[4096];
    int n = snprintf(beside, sizeof beside, "%s.new", path);
    if (n < 0 || (size_t)n >= sizeof beside)
        return why_of(w, ERR_LIMIT, STR("path too long: "), str_of(path));
    AUTO_FD fd =
        open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, (mode_t)mode);
    if (fd < 0)
        return failed(w, "writing", path);
    if (write_all(fd, text) != OK || rename(beside, path) != 0) {
        enum err err = failed(w, "writing", path);
        unlink(beside);
        return err;
    }
    return OK;
}

enum err file_make_dir(const char *path, struct why *w)
{
    char part[4096];
    size_t n = strlen(path);
    if (n == 0 || n >= sizeof part)
        return why_of(w, ERR_LIMIT, STR("path too long: "), str_of(path));
    memcpy(part, path, n + 1);
    for (size_t i = 1; i <= n; i++) {
        if (part[i] != '/' && part[i] != '\0')
            continue;
        char kept = part[i];
        part[i] = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST)
            return failed(w, "making folder", part);
        part[i] = kept;
    }
    return OK;
}
