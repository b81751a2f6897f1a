/* html.h - writing HTML: tags are literals of ours, everything else goes
 * through the escapes below.  Names, addresses and error texts come from
 * strangers (security checklist WU-03).
 */
#ifndef UI_HTML_H
#define UI_HTML_H

#include "base/buf.h"
#include "base/str.h"

/* Markup of our own; takes only a literal. */
#define HTML(b_, literal_) buf_add((b_), STR(literal_))

/* Text between tags or inside a quoted attribute; control characters, which
 * HTML has no way to write, become blanks. */
void html_text(struct buf *b, struct str s);
void html_i64(struct buf *b, int64_t value); /* 12,345 */

/* ` name="value"`, with the blank before it. */
void html_attr(struct buf *b, struct str name, struct str value);

/* The same for a link: a path of ours, or http(s) without blanks and the like;
 * anything else ("javascript:...") becomes "#". */
void html_link(struct buf *b, struct str name, struct str url);

#endif
