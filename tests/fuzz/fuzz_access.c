/*
 * Fuzz target of files of users and rules: whatever they say, reading them reports or is content, never both and never
 * neither; and with what it is content verdicts agree with each other.
 *
 *   | what (1): '0' users, '1' mosquitto's rules, '2' YAML's | user | \n | client id | \n | topic or filter | \n | file
 * |
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "access/acl.h"
#include "access/acl_lines.h"
#include "access/filters.h"
#include "access/findings.h"
#include "access/password.h"
#include "access/permit.h"
#include "access/users.h"
#include "config/config.h"
#include "core/arena.h"
#include "core/utf8.h"
#include "mqtt/topic.h"
#include "tests/fuzz/fuzz.h"

struct input {
    struct str user;
    struct str id;
    struct str topic;
    struct str file;
};

static char folder[] = "/tmp/wirepost-fuzz-XXXXXX";
static char path[64];
static char main_text[128];

static void remove_folder(void)
{
    unlink(path);
    rmdir(folder);
}

static void make_folder(void)
{
    REQUIRE(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/acl", folder);
    snprintf(main_text, sizeof(main_text), "broker: {acl: %s}\n", path);
    atexit(remove_folder);
}

static struct str take_line(struct str *rest)
{
    const char *end = rest->len > 0 ? memchr(rest->data, '\n', rest->len) : NULL;
    struct str line = {.data = rest->data, .len = end ? (size_t)(end - rest->data) : rest->len};
    size_t taken = line.len + (end ? 1 : 0);

    rest->data += taken;
    rest->len -= taken;
    return line;
}

static void check_text(void *arg, uint32_t line, uint32_t column, const char *text)
{
    (void)arg;
    REQUIRE(line > 0 && column > 0 && utf8_valid(str_of(text)));
}

static void try_users(const struct input *in)
{
    struct findings findings = {.add = check_text};
    struct arena *arena = arena_new();
    struct users *users = NULL;
    int r = users_parse(arena, in->file, &findings, &users);

    REQUIRE(r == 0 || r == -EINVAL);
    REQUIRE((r == 0) == (findings.errors == 0) && (r == 0) == (users != NULL));
    for (size_t i = 0; users && i < users->count; i++) {
        REQUIRE(users_find(users, users->at[i].name) == &users->at[i]);
        REQUIRE(!user_name_problem(users->at[i].name) && !password_problem(users->at[i].hash));
    }
    if (users)
        REQUIRE((users_stand_in(users, in->user) != NULL) == (users->count > 0));
    arena_free(arena);
}

/* A name stands for itself or for nothing: it cannot open what no other name opens. */
static void check_verdicts(struct acl *acl, const struct input *in)
{
    struct permit *p = permit_new(in->user, in->id);
    bool read;

    REQUIRE(p && permit_follow(p, acl) == 0);
    if (topic_name_valid(in->topic)) {
        read = permit_may(p, ACL_READ, in->topic, 0);
        REQUIRE(permit_may(p, ACL_READ, in->topic, 1) == read);
        REQUIRE(permit_may(p, ACL_READ, in->topic, 1) == read);
        permit_may(p, ACL_WRITE, in->topic, 1);
        if (read && !acl->in_order && !permit_may_subscribe(p, in->topic))
            REQUIRE(memmem(in->file.data, in->file.len, "subscribe", 9) ||
                    memmem(in->file.data, in->file.len, "deny", 4));
        if (!read)
            REQUIRE(!permit_may_subscribe(p, in->topic));
    } else if (topic_filter_valid(in->topic) && !str_starts_with(in->topic, str_of("$share/"))) {
        permit_may_subscribe(p, in->topic);
    }
    permit_free(p);
}

static void try_lines(const struct input *in)
{
    struct findings findings = {.add = check_text};
    struct arena *arena = arena_new();
    struct acl *acl = NULL;
    int r = acl_parse_lines(arena, in->file, &findings, &acl);

    REQUIRE((r == 0) == (findings.errors == 0) && (r == 0) == (acl != NULL));
    if (acl)
        check_verdicts(acl, in);
    arena_free(arena);
}

static void try_yaml(const struct input *in)
{
    struct settings *settings = NULL;
    struct buf report = {0};
    FILE *f = fopen(path, "w");
    int r;

    REQUIRE(f && fwrite(in->file.data, 1, in->file.len, f) == in->file.len && fclose(f) == 0);
    r = config_load_text("main.yaml", str_of(main_text), NULL, &report, &settings);
    REQUIRE((r == 0) == (settings != NULL));
    REQUIRE(utf8_valid(buf_str(&report)));
    if (settings)
        check_verdicts(settings->broker.entrance.acl, in);
    settings_free(settings);
    buf_fini(&report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = {.data = (const char *)data + 1, .len = size - 1};
    struct input in;

    if (size == 0)
        return 0;
    if (!*path)
        make_folder();
    in.user = take_line(&rest);
    in.id = take_line(&rest);
    in.topic = take_line(&rest);
    in.file = rest;
    if (in.user.len == 0)
        in.user.data = NULL;
    if (data[0] == '0')
        try_users(&in);
    else if (data[0] == '1')
        try_lines(&in);
    else
        try_yaml(&in);
    return 0;
}
