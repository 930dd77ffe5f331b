/*
 * password - hashes of passwords: makes yescrypt, checks what people have.
 *
 *   $y$ $gy$ $2b$ $2y$ $6$   crypt(3)'s: yescrypt, its GOST kin, bcrypt, sha512crypt
 *   $6$SALT$HASH             mosquitto's: SHA-512 of password and salt, both in base64
 *   $7$ROUNDS$SALT$HASH      mosquitto's: PBKDF2 with HMAC-SHA-512
 *
 * Both $6$ are told apart by their HASH: 88 characters of base64 or 86 of crypt(3)'s. Any thread.
 */
#ifndef WP_ACCESS_PASSWORD_H
#define WP_ACCESS_PASSWORD_H

#include <stdbool.h>

#include "core/str.h"

enum {
    PASSWORD_HASH_SIZE = 384, /* of a hash as text, terminated */
    PASSWORD_MAX = 511,       /* bytes that crypt(3) takes */
};

/* NULL when passwords can be checked against this hash, else what is wrong with it. */
const char *password_problem(const char *hash);

/* Takes its time, as it must: tens of milliseconds of CPU. False too for what no password can be, such as one with a
 * NUL, and without memory. */
bool password_matches(const char *hash, struct str password);

/* Hashes with yescrypt and a new salt. 0, -EINVAL: no password can be like that, or -errno. */
int password_hash(struct str password, char ret_hash[PASSWORD_HASH_SIZE]);

#endif
