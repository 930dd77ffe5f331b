/* users - see users.h. */
#include "access/users.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <sys/random.h>

#include "access/file_lines.h"
#include "access/findings.h"
#include "access/password.h"
#include "config/text.h"
#include "core/arena.h"
#include "core/hash.h"

static int compare_names(struct str a, struct str b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len > 0 ? memcmp(a.data, b.data, len) : 0;

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_users(const void *a, const void *b)
{
    return compare_names(((const struct user *)a)->name, ((const struct user *)b)->name);
}

const char *user_name_problem(struct str name)
{
    if (name.len == 0)
        return "it is empty";
    if (name.len > UINT16_MAX)
        return "it is too long";
    if (memchr(name.data, ':', name.len))
        return "it holds a ':'";
    if (name.data[0] == '#')
        return "it begins with a '#', as comments do";
    if (!text_is_printable(name))
        return "it holds a control character, or is not UTF-8";
    if (text_trim(name).len < name.len)
        return "it begins or ends with a blank";
    return NULL;
}

static size_t count_lines(struct str text)
{
    struct file_lines l = file_lines_of(text);
    size_t count = 0;

    while (file_lines_next(&l))
        count++;
    return count;
}

/* "$argon2id$", for whoever must find what made it. */
static struct str kind_of(const char *hash)
{
    const char *end = hash[0] == '$' ? strchr(hash + 1, '$') : NULL;

    return (struct str){.data = hash, .len = end ? (size_t)(end - hash) + 1 : 0};
}

static void check_hash(struct findings *findings, const struct file_lines *l, const struct user *user, const char *at)
{
    const char *problem = password_problem(user->hash);
    char name[TEXT_SHOWN];
    char kind[TEXT_SHOWN];

    if (!problem)
        return;
    text_quote(user->name, name);
    if (kind_of(user->hash).len > 0)
        findings_error(findings, l->number, file_lines_column(l, at),
                       "the hash of user %s, of kind %s, cannot be used: %s", name,
                       text_quote(kind_of(user->hash), kind), problem);
    else
        findings_error(findings, l->number, file_lines_column(l, at), "the hash of user %s cannot be used: %s", name,
                       problem);
}

/* -EINVAL: it is among the findings. */
static int parse_line(struct arena *arena, const struct file_lines *l, struct findings *findings, struct user *ret_user)
{
    const char *colon = memchr(l->line.data, ':', l->line.len);
    struct str name = {.data = l->line.data, .len = colon ? (size_t)(colon - l->line.data) : l->line.len};
    struct str hash = {.data = name.data + name.len + 1};
    const char *problem = user_name_problem(name);
    char shown[TEXT_SHOWN];

    if (!colon || problem) {
        findings_error(findings, l->number, file_lines_column(l, name.data), "%s: a line is NAME:HASH; found %s",
                       colon ? problem : "there is no ':'", text_quote(name, shown));
        return -EINVAL;
    }
    hash.len = l->line.len - name.len - 1;
    if (hash.len > 0 && memchr(hash.data, '\0', hash.len)) {
        findings_error(findings, l->number, file_lines_column(l, hash.data), "the hash holds a NUL");
        return -EINVAL;
    }
    *ret_user = (struct user){.name = {.data = arena_strdup(arena, name), .len = name.len},
                              .hash = arena_strdup(arena, hash),
                              .line = l->number};
    if (!ret_user->name.data || !ret_user->hash)
        return -ENOMEM;
    check_hash(findings, l, ret_user, hash.data);
    return 0;
}

static void find_repetitions(const struct users *u, struct findings *findings)
{
    char shown[TEXT_SHOWN];

    for (size_t i = 1; i < u->count; i++) {
        const struct user *a = &u->at[i - 1];
        const struct user *b = &u->at[i];

        if (str_equal(a->name, b->name))
            findings_error(findings, a->line > b->line ? a->line : b->line, 1,
                           "user %s is there twice, first at line %u", text_quote(a->name, shown),
                           a->line < b->line ? a->line : b->line);
    }
}

int users_parse(struct arena *arena, struct str text, struct findings *findings, struct users **ret_users)
{
    struct users *u = arena_alloc(arena, sizeof(*u));
    struct file_lines l = file_lines_of(text);
    unsigned before = findings->errors;

    if (!u)
        return -ENOMEM;
    u->at = arena_alloc(arena, count_lines(text) * sizeof(u->at[0]));
    if (!u->at)
        return -ENOMEM;
    if (getrandom(u->key, sizeof(u->key), 0) != sizeof(u->key))
        return -EIO;
    while (file_lines_next(&l)) {
        int r = parse_line(arena, &l, findings, &u->at[u->count]);

        if (r == 0)
            u->count++;
        else if (r != -EINVAL)
            return r;
    }
    if (u->count > 0)
        qsort(u->at, u->count, sizeof(u->at[0]), compare_users);
    find_repetitions(u, findings);
    if (findings->errors > before)
        return -EINVAL;
    *ret_users = u;
    return 0;
}

struct user *users_find(const struct users *u, struct str name)
{
    const struct user wanted = {.name = name};

    return u->count > 0 ? bsearch(&wanted, u->at, u->count, sizeof(u->at[0]), compare_users) : NULL;
}

const struct user *users_stand_in(const struct users *u, struct str name)
{
    uint64_t seed;

    if (u->count == 0)
        return NULL;
    memcpy(&seed, u->key, sizeof(seed));
    return &u->at[hash_bytes(seed, name.data, name.len) % u->count];
}

/* Of the hash too: what is right for one hash is so for that alone. */
int users_digest(const struct users *u, const struct user *user, struct str password, uint8_t ret_digest[USERS_DIGEST])
{
    size_t hash_size = strlen(user->hash) + 1;
    uint8_t *text = malloc(hash_size + password.len);
    bool done;

    if (!text)
        return -ENOMEM;
    memcpy(text, user->hash, hash_size);
    if (password.len > 0)
        memcpy(text + hash_size, password.data, password.len);
    done = HMAC(EVP_sha256(), u->key, sizeof(u->key), text, hash_size + password.len, ret_digest, NULL);
    OPENSSL_cleanse(text, hash_size + password.len);
    free(text);
    return done ? 0 : -ENOMEM;
}

bool users_recall(const struct user *user, const uint8_t digest[USERS_DIGEST])
{
    return user->seen && CRYPTO_memcmp(digest, user->digest, USERS_DIGEST) == 0;
}

void users_remember(struct user *user, const uint8_t digest[USERS_DIGEST])
{
    memcpy(user->digest, digest, USERS_DIGEST);
    user->seen = true;
}

uint64_t user_mark(const struct user *user)
{
    return hash_bytes(0, user->hash, strlen(user->hash));
}
