/* password - see password.h. */
#include "access/password.h"

#include <crypt.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>

enum {
    SHA512_BYTES = 64,
    SALT_MAX = 64,
    MAX_ROUNDS = 10000000,
    BASE64_HASH = 88, /* characters for 64 bytes */
};

struct foreign {
    int rounds; /* 0: plain SHA-512 */
    uint8_t salt[SALT_MAX];
    size_t salt_len;
    uint8_t hash[SHA512_BYTES];
};

/* Bytes, or 0 for what is no base64 or needs more room. */
static size_t decode_base64(struct str text, uint8_t *to, size_t room)
{
    uint8_t block[3 * BASE64_HASH / 4];
    size_t padding = 0;
    int n;

    if (text.len == 0 || text.len > BASE64_HASH || text.len % 4 != 0)
        return 0;
    while (padding < 2 && text.data[text.len - 1 - padding] == '=')
        padding++;
    n = EVP_DecodeBlock(block, (const unsigned char *)text.data, (int)text.len);
    if (n < 0 || (size_t)n - padding > room)
        return 0;
    memcpy(to, block, (size_t)n - padding);
    return (size_t)n - padding;
}

/* Takes what stands before the next '$'. */
static struct str take_part(const char **at)
{
    struct str part = {.data = *at, .len = strcspn(*at, "$")};

    *at += part.len + ((*at)[part.len] == '$' ? 1 : 0);
    return part;
}

static int read_rounds(struct str text)
{
    int rounds = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || rounds > MAX_ROUNDS)
            return 0;
        rounds = rounds * 10 + (text.data[i] - '0');
    }
    return rounds <= MAX_ROUNDS ? rounds : 0;
}

static bool is_foreign(const char *hash)
{
    const char *last = strrchr(hash, '$');

    return strncmp(hash, "$7$", 3) == 0 || (strncmp(hash, "$6$", 3) == 0 && strlen(last + 1) == BASE64_HASH);
}

/* NULL, or what is wrong. */
static const char *read_foreign(const char *hash, struct foreign *ret)
{
    const char *at = hash + 3;

    *ret = (struct foreign){0};
    if (hash[1] == '7') {
        ret->rounds = read_rounds(take_part(&at));
        if (ret->rounds == 0)
            return "its number of rounds must be 1 to 10000000";
    }
    ret->salt_len = decode_base64(take_part(&at), ret->salt, sizeof(ret->salt));
    if (ret->salt_len == 0)
        return "its salt is not base64";
    if (decode_base64(take_part(&at), ret->hash, sizeof(ret->hash)) != SHA512_BYTES || *at)
        return "it does not end with the base64 of 64 bytes";
    return NULL;
}

static bool foreign_matches(const char *hash, struct str password)
{
    uint8_t made[SHA512_BYTES];
    struct foreign f;
    bool done;

    if (read_foreign(hash, &f))
        return false;
    if (f.rounds > 0) {
        done = PKCS5_PBKDF2_HMAC(password.data, (int)password.len, f.salt, (int)f.salt_len, f.rounds, EVP_sha512(),
                                 sizeof(made), made) == 1;
    } else {
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();

        done = ctx && EVP_DigestInit_ex(ctx, EVP_sha512(), NULL) == 1 &&
               EVP_DigestUpdate(ctx, password.data, password.len) == 1 &&
               EVP_DigestUpdate(ctx, f.salt, f.salt_len) == 1 && EVP_DigestFinal_ex(ctx, made, NULL) == 1;
        EVP_MD_CTX_free(ctx);
    }
    return done && CRYPTO_memcmp(made, f.hash, sizeof(made)) == 0;
}

static bool starts_like_crypt(const char *hash)
{
    static const char *const kinds[] = {"$y$", "$gy$", "$2b$", "$2y$", "$6$"};

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (strncmp(hash, kinds[i], strlen(kinds[i])) == 0)
            return true;
    return false;
}

/* bcrypt's salt and hash are one: 22 and 31 characters. */
static const char *crypt_problem(const char *hash)
{
    static const char alphabet[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    const char *last = strrchr(hash, '$') + 1;
    size_t wanted = hash[1] == '2' ? 53 : hash[1] == '6' ? 86 : 43;

    if (strlen(last) != wanted || strspn(last, alphabet) != wanted)
        return "it is cut short, or was changed";
    return crypt_checksalt(hash) == CRYPT_SALT_INVALID ? "crypt(3) does not know its parameters" : NULL;
}

const char *password_problem(const char *hash)
{
    struct foreign f;

    if (hash[0] != '$')
        return "it is no hash: wirepost passwd makes one";
    if (strlen(hash) >= PASSWORD_HASH_SIZE)
        return "it is too long";
    if (is_foreign(hash))
        return read_foreign(hash, &f);
    if (starts_like_crypt(hash))
        return crypt_problem(hash);
    return "hashes of this kind cannot be checked: wirepost passwd makes one that can";
}

/* A terminated copy for crypt(3). False: it could not take all of it. */
static bool copy_password(struct str password, char ret_text[PASSWORD_MAX + 1])
{
    if (password.len > PASSWORD_MAX || (password.len > 0 && memchr(password.data, '\0', password.len)))
        return false;
    if (password.len > 0)
        memcpy(ret_text, password.data, password.len);
    ret_text[password.len] = '\0';
    return true;
}

static bool crypt_matches(const char *hash, struct str password)
{
    struct crypt_data *data = calloc(1, sizeof(*data)); /* 32 KiB */
    char text[PASSWORD_MAX + 1];
    size_t len = strlen(hash);
    const char *made;
    bool same;

    if (!data)
        return false;
    made = copy_password(password, text) ? crypt_r(text, hash, data) : NULL;
    same = made && strlen(made) == len && CRYPTO_memcmp(made, hash, len) == 0;
    OPENSSL_cleanse(text, sizeof(text));
    OPENSSL_cleanse(data, sizeof(*data));
    free(data);
    return same;
}

bool password_matches(const char *hash, struct str password)
{
    return is_foreign(hash) ? foreign_matches(hash, password) : crypt_matches(hash, password);
}

int password_hash(struct str password, char ret_hash[PASSWORD_HASH_SIZE])
{
    struct crypt_data *data;
    char salt[CRYPT_GENSALT_OUTPUT_SIZE];
    char text[PASSWORD_MAX + 1];
    const char *made = NULL;
    int r = 0;

    if (password.len == 0 || !copy_password(password, text))
        return -EINVAL;
    data = calloc(1, sizeof(*data));
    if (data && crypt_gensalt_rn("$y$", 0, NULL, 0, salt, sizeof(salt)))
        made = crypt_r(text, salt, data);
    if (made && made[0] == '$' && strlen(made) < PASSWORD_HASH_SIZE)
        memcpy(ret_hash, made, strlen(made) + 1);
    else
        r = data ? -EIO : -ENOMEM;
    OPENSSL_cleanse(text, sizeof(text));
    if (data)
        OPENSSL_cleanse(data, sizeof(*data));
    free(data);
    return r;
}
