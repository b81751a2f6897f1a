#include "directory/text_int.h"

#include "base/fold.h"

#define TEXT_MAX ((size_t)8 * 1024)

static const struct {
    struct str name, bytes;
} entities[] = {
    { STR_INIT("&amp;"), STR_INIT("&") },
    { STR_INIT("&lt;"), STR_INIT("<") },
    { STR_INIT("&gt;"), STR_INIT(">") },
    { STR_INIT("&quot;"), STR_INIT("\"") },
    { STR_INIT("&apos;"), STR_INIT("'") },
    { STR_INIT("&#39;"), STR_INIT("'") },
    { STR_INIT("&#039;"), STR_INIT("'") },
    { STR_INIT("&#x27;"), STR_INIT("'") },
    { STR_INIT("&rsquo;"), STR_INIT("'") },
    { STR_INIT("&nbsp;"), STR_INIT(" ") },
    { STR_INIT("&ndash;"), STR_INIT("-") },
};
#define COUNT(a_) (sizeof(a_) / sizeof(a_)[0])

static struct str view(struct buf *b)
{
    struct str text;
    return buf_view(b, &text) == OK ? str_trim(text) : STR_NONE;
}

/* Adds what starts at s and says how many bytes of s that was. */
static size_t add_unescaped(struct buf *b, struct str s)
{
    for (size_t i = 0; s.p[0] == '&' && i < COUNT(entities); i++) {
        if (!str_starts_nocase(s, entities[i].name))
            continue;
        buf_add(b, entities[i].bytes);
        return entities[i].name.n;
    }
    bool is_blank = (unsigned char)s.p[0] <= ' ' || s.p[0] == 0x7f;
    if (is_blank && b->len > 0 && b->data[b->len - 1] != ' ')
        buf_add_char(b, ' ');
    if (!is_blank)
        buf_add_char(b, s.p[0]);
    return 1;
}

struct str text_clean(struct arena *a, struct str s)
{
    struct buf b = BUF_IN(a, TEXT_MAX);
    s = str_slice(s, 0, TEXT_MAX / 2);
    while (s.n > 0)
        s = str_from(s, add_unescaped(&b, s));
    return view(&b);
}

static bool is_apostrophe(struct str s, size_t *n)
{
    static const struct str all[] = { STR_INIT("'"), STR_INIT("`"),
                                      STR_INIT("\xe2\x80\x99"),
                                      STR_INIT("\xe2\x80\x98") };
    for (size_t i = 0; i < COUNT(all); i++) {
        *n = all[i].n;
        if (str_starts(s, all[i]))
            return true;
    }
    return false;
}

struct str text_words(struct arena *a, struct str s)
{
    AUTO_BUF folded = BUF(TEXT_MAX);
    fold_add(&folded, str_slice(s, 0, TEXT_MAX / 4));
    struct str rest;
    if (buf_view(&folded, &rest) != OK)
        return STR("");
    struct buf b = BUF_IN(a, TEXT_MAX);
    while (rest.n > 0) {
        size_t n;
        char c = rest.p[0];
        if (is_apostrophe(rest, &n)) {
            rest = str_from(rest, n);
            continue;
        }
        if (char_is_alpha(c) || char_is_digit(c) || (unsigned char)c >= 0x80)
            buf_add_char(&b, c);
        else if (b.len > 0 && b.data[b.len - 1] != ' ')
            buf_add_char(&b, ' ');
        rest = str_from(rest, 1);
    }
    return view(&b);
}

static bool is_legal_form(struct str word)
{
    static const struct str forms[] = {
        STR_INIT("inc"),         STR_INIT("llc"), STR_INIT("pllc"),
        STR_INIT("pc"),          STR_INIT("pa"),  STR_INIT("corp"),
        STR_INIT("ltd"),         STR_INIT("lp"),  STR_INIT("llp"),
        STR_INIT("the"),         STR_INIT("plc"), STR_INIT("incorporated"),
        STR_INIT("corporation"),
    };
    for (size_t i = 0; i < COUNT(forms); i++)
        if (str_eq(forms[i], word))
            return true;
    return false;
}

struct str text_name_key(struct arena *a, struct str name)
{
    struct str words = text_words(a, name), rest = words, word;
    struct buf b = BUF_IN(a, TEXT_MAX);
    while (rest.n > 0 && str_cut(&rest, ' ', &word)) {
        if (is_legal_form(word))
            continue;
        if (b.len > 0)
            buf_add_char(&b, ' ');
        buf_add(&b, word);
    }
    struct str key = view(&b);
    return key.n > 0 ? key : words;
}

struct str text_zip(struct arena *a, struct str s)
{
    char digits[10];
    size_t n = 0;
    s = str_trim(s);
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '-' || s.p[i] == ' ')
            continue;
        if (!char_is_digit(s.p[i]) || n == 9)
            return STR("");
        digits[n++] = s.p[i];
    }
    struct buf b = BUF_IN(a, 16);
    if (n == 4 || n == 8) /* a leading zero lost in a spreadsheet */
        buf_add_char(&b, '0');
    else if (n != 5 && n != 9)
        return STR("");
    buf_add(&b, (struct str){ digits, n });
    struct str zip = view(&b);
    if (str_starts(zip, STR("99999")) || str_starts(zip, STR("00000")))
        return STR("");
    if (zip.n == 5)
        return zip;
    if (str_eq(str_from(zip, 5), STR("9999")))
        return str_slice(zip, 0, 5);
    return arena_cat(a, str_slice(zip, 0, 5), STR("-"), str_from(zip, 5));
}

/* clang-format off */
static const struct { struct str code, name; } states[] = {
#define S(c, n) { STR_INIT(c), STR_INIT(n) }
    S("AL", "Alabama"), S("AK", "Alaska"), S("AZ", "Arizona"), S("AR", "Arkansas"),
    S("CA", "California"), S("CO", "Colorado"), S("CT", "Connecticut"), S("DE", "Delaware"),
    S("DC", "District of Columbia"), S("FL", "Florida"), S("GA", "Georgia"), S("HI", "Hawaii"),
    S("ID", "Idaho"), S("IL", "Illinois"), S("IN", "Indiana"), S("IA", "Iowa"),
    S("KS", "Kansas"), S("KY", "Kentucky"), S("LA", "Louisiana"), S("ME", "Maine"),
    S("MD", "Maryland"), S("MA", "Massachusetts"), S("MI", "Michigan"), S("MN", "Minnesota"),
    S("MS", "Mississippi"), S("MO", "Missouri"), S("MT", "Montana"), S("NE", "Nebraska"),
    S("NV", "Nevada"), S("NH", "New Hampshire"), S("NJ", "New Jersey"), S("NM", "New Mexico"),
    S("NY", "New York"), S("NC", "North Carolina"), S("ND", "North Dakota"), S("OH", "Ohio"),
    S("OK", "Oklahoma"), S("OR", "Oregon"), S("PA", "Pennsylvania"), S("RI", "Rhode Island"),
    S("SC", "South Carolina"), S("SD", "South Dakota"), S("TN", "Tennessee"), S("TX", "Texas"),
    S("UT", "Utah"), S("VT", "Vermont"), S("VA", "Virginia"), S("WA", "Washington"),
    S("WV", "West Virginia"), S("WI", "Wisconsin"), S("WY", "Wyoming"), S("PR", "Puerto Rico"),
    S("VI", "Virgin Islands"), S("GU", "Guam"), S("AS", "American Samoa"),
    S("MP", "Northern Mariana Islands"),
#undef S
};
/* clang-format on */

struct str text_state(struct str s)
{
    s = str_trim(s);
    for (size_t i = 0; i < COUNT(states); i++)
        if (str_eq_nocase(states[i].code, s) ||
            str_eq_nocase(states[i].name, s))
            return states[i].code;
    return s;
}

bool text_is_state(struct str s)
{
    for (size_t i = 0; i < COUNT(states); i++)
        if (str_eq(states[i].code, s))
            return true;
    return false;
}
