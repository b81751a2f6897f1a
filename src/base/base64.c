#include "base/base64.h"

#include <stdint.h>

static const char standard[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_safe[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static struct str encode(struct arena *a, struct str in, const char *alphabet,
                         bool pad)
{
    char *text = arena_alloc(a, (in.n + 2) / 3 * 4 + 1);
    if (text == NULL)
        return STR_NONE;
    const unsigned char *p = (const unsigned char *)in.p;
    size_t n = 0;
    for (size_t i = 0; i < in.n; i += 3) {
        size_t left = in.n - i;
        uint32_t bits = (uint32_t)p[i] << 16;
        bits |= left > 1 ? (uint32_t)p[i + 1] << 8 : 0;
        bits |= left > 2 ? p[i + 2] : 0;
        size_t digits = left > 2 ? 4 : left + 1;
        for (size_t d = 0; d < digits; d++)
            text[n++] = alphabet[bits >> (18 - 6 * d) & 63];
        while (pad && n % 4 != 0)
            text[n++] = '=';
    }
    text[n] = '\0';
    return (struct str){ text, n };
}

struct str base64_encode(struct arena *a, struct str bytes)
{
    return encode(a, bytes, standard, true);
}

struct str base64url_encode(struct arena *a, struct str bytes)
{
    return encode(a, bytes, url_safe, false);
}

static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (char_is_digit(c))
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    if (c == '/' || c == '_')
        return 63;
    return -1;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

enum err base64_decode(struct arena *a, struct str text, struct str *out)
{
    char *bytes = arena_alloc(a, text.n / 4 * 3 + 4);
    if (bytes == NULL)
        return arena_err(a);
    uint32_t bits = 0;
    size_t digits = 0, pads = 0, n = 0;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (is_blank(c))
            continue;
        if (c == '=') {
            pads++;
            continue;
        }
        int value = value_of(c);
        if (value < 0 || pads > 0)
            return ERR_FORMAT;
        bits = bits << 6 | (uint32_t)value;
        if (++digits % 4 != 1)
            bytes[n++] = (char)(bits >> (6 - 2 * ((digits - 1) % 4)));
    }
    if (digits % 4 == 1 || pads > 2)
        return ERR_FORMAT;
    bytes[n] = '\0';
    *out = (struct str){ bytes, n };
    return OK;
}

struct str hex_encode(struct arena *a, struct str bytes)
{
    static const char digits[] = "0123456789abcdef";
    char *text = arena_alloc(a, bytes.n * 2 + 1);
    if (text == NULL)
        return STR_NONE;
    for (size_t i = 0; i < bytes.n; i++) {
        unsigned char byte = (unsigned char)bytes.p[i];
        text[2 * i] = digits[byte >> 4];
        text[2 * i + 1] = digits[byte & 15];
    }
    text[bytes.n * 2] = '\0';
    return (struct str){ text, bytes.n * 2 };
}

static int hex_value(char c)
{
    if (char_is_digit(c))
        return c - '0';
    c = char_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum err hex_decode(struct arena *a, struct str text, struct str *out)
{
    char *bytes = arena_alloc(a, text.n / 2 + 1);
    if (bytes == NULL)
        return arena_err(a);
    if (text.n % 2 != 0)
        return ERR_FORMAT;
    for (size_t i = 0; i < text.n; i += 2) {
        int high = hex_value(text.p[i]);
        int low = hex_value(text.p[i + 1]);
        if (high < 0 || low < 0)
            return ERR_FORMAT;
        bytes[i / 2] = (char)(high << 4 | low);
    }
    bytes[text.n / 2] = '\0';
    *out = (struct str){ bytes, text.n / 2 };
    return OK;
}
