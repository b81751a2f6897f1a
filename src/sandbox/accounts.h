/* accounts.h - who can sign in: people of files and invented ones.  Records
 * are loaded at their first use and kept.  Any thread.
 */
#ifndef SANDBOX_ACCOUNTS_H
#define SANDBOX_ACCOUNTS_H

#include "fhir/release.h"
#include "sandbox/chart.h"

#define ACCOUNTS_PASSWORD "tributary"

struct account {
    struct str username, password;
    struct str title; /* for people: a name, or where it is from */
    const char *paths[RELEASE_COUNT]; /* the file; NULL: none */
    unsigned number;                  /* of the generated person */
    bool is_generated;
    struct chart *charts[RELEASE_COUNT]; /* as far as loaded */
    struct str *changes[RELEASE_COUNT];  /* Bundles that came since */
    size_t change_count[RELEASE_COUNT];
};

struct accounts;
/* dir NULL: no files.  Files are found by their folder (dstu2, stu3, r4), or
 * else by what they contain; those named *-infra-*, and those that index.tsv
 * says hold no patient, are shared by all of their release. */
MUST_CHECK enum err accounts_new(const char *dir, unsigned generated,
                                 struct accounts **out, struct why *w);
void accounts_free(struct accounts *all);

size_t accounts_count(const struct accounts *all);
struct account *accounts_at(struct accounts *all, size_t i);
/* By name, in any case ("wilma_smart" is "wilmasmart"); NULL when unknown. */
struct account *accounts_find(struct accounts *all, struct str username);
/* Whether the person has a record of that release. */
bool account_has(const struct account *account, enum release release);
/* The record.  ERR_NOT_FOUND when there is none in that release, or no Patient
 * in it. */
MUST_CHECK enum err accounts_chart(struct accounts *all,
                                   struct account *account,
                                   enum release release,
                                   const struct chart **out, struct why *w);
/* The record from now on with this resource, new or in place of the one with
 * its type and id.  ERR_FORMAT: it has no type or no id. */
MUST_CHECK enum err accounts_change(struct accounts *all,
                                    struct account *account,
                                    enum release release, struct str resource,
                                    struct why *w);

#endif
