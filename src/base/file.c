#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define CHUNK       ((size_t)64 * 1024)
#define PACKED_MORE ((size_t)4096) /* gzip's own bytes, for small files */

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

/* Room for the next chunk, of at least one byte: what is left below the limit
 * may be less than CHUNK.  NULL at the limit. */
static char *chunk_room(struct buf *b, size_t *n)
{
    size_t left = b->limit - b->len;
    *n = left < CHUNK && left > 0 ? left : CHUNK;
    return buf_reserve(b, *n);
}

/* Unpacks up to a chunk; Z_STREAM_END at the end of the last member, Z_OK when
 * there is more. */
static int gunzip_chunk(z_stream *z, struct buf *b)
{
    char end; /* at the limit only the end of the stream may come */
    size_t n = 1;
    bool is_full = b->len == b->limit;
    char *room = is_full ? &end : chunk_room(b, &n);
    if (room == NULL)
        return Z_MEM_ERROR;
    z->next_out = (Bytef *)room;
    z->avail_out = (uInt)n;
    int answer = inflate(z, Z_NO_FLUSH);
    if (answer != Z_OK && answer != Z_STREAM_END)
        return answer;
    if (is_full && z->avail_out == 0) {
        b->err = ERR_LIMIT;
        return Z_BUF_ERROR;
    }
    if (!is_full)
        buf_added(b, n - z->avail_out);
    if (answer == Z_STREAM_END && z->avail_in > 0 && z->next_in[0] == 0x1f)
        return inflateReset(z); /* members may follow each other */
    if (answer == Z_OK && z->avail_in == 0 && z->avail_out > 0)
        return Z_DATA_ERROR; /* cut */
    return answer;
}

enum err file_gunzip(struct str packed, struct buf *b)
{
    z_stream z = { 0 };
    if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
        return ERR_NOMEM;
    z.next_in = (z_const Bytef *)packed.p;
    z.avail_in = (uInt)packed.n;
    int answer = Z_OK;
    while (answer == Z_OK && b->err == OK)
        answer = gunzip_chunk(&z, b);
    inflateEnd(&z);
    if (b->err != OK)
        return b->err;
    return answer == Z_STREAM_END ? OK : ERR_FORMAT;
}

static enum err read_fd(int fd, struct buf *b, struct why *w, const char *path)
{
    for (;;) {
        char end; /* at the limit only the end of the file may come */
        size_t n = 1;
        bool is_full = b->len == b->limit && b->err == OK;
        char *room = is_full ? &end : chunk_room(b, &n);
        if (room == NULL)
            return why_of(w, b->err, STR("reading "), str_of(path),
                          STR(": no memory"));
        ssize_t got = read(fd, room, n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return failed(w, "reading", path);
        if (got == 0)
            return OK;
        if (is_full)
            return why_of(w, b->err = ERR_LIMIT, STR("reading "), str_of(path),
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
    AUTO_BUF packed = BUF(b->limit + PACKED_MORE);
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
    unlink(beside); /* of a crash: its mode may be another */
    AUTO_FD fd =
        open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
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
    struct stat is;
    if (stat(path, &is) != 0 || !S_ISDIR(is.st_mode))
        return why_of(w, ERR_IO, STR("not a folder: "), str_of(path));
    return OK;
}
