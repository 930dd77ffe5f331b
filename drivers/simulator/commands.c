/* commands - what people and scripts tell a simulator: see simulator.h. */
#include <errno.h>
#include <string.h>

#include "config/text.h"
#include "drivers/simulator/simulator_internal.h"

enum { MAX_WORDS = 8, VALUE_AT = 3 };

static struct sim_device **find_device(struct simulator *sim, struct str name)
{
    for (size_t i = 0; i < sim->device_count; i++)
        if (str_equal(str_of(sim_device_settings(sim->devices[i])->name), name))
            return &sim->devices[i];
    return NULL;
}

/* The last of `max` words is the rest of the line, for texts may have blanks. */
static size_t split(struct str line, struct str *ret_words, size_t max)
{
    size_t count = 0;

    for (size_t at = 0; at < line.len && count < max; count++) {
        size_t start;

        while (at < line.len && (line.data[at] == ' ' || line.data[at] == '\r'))
            at++;
        start = at;
        while (at < line.len && line.data[at] != '\r' && (line.data[at] != ' ' || count + 1 == max))
            at++;
        if (at == start)
            break;
        ret_words[count] = (struct str){.data = line.data + start, .len = at - start};
    }
    return count;
}

/* Each command: 0, or what is wrong. words[0] is its name, words[1] the device. */
struct command {
    struct simulator *sim;
    struct sim_device **device;
    const struct str *words;
    size_t count;
    struct buf *out; /* the answer, when it is not "ok" */
};

static const char *problem_of(int r)
{
    return r == 0 ? NULL : r == -ENOENT ? "no such tag" : "not understood";
}

static const char *do_set(struct command *c)
{
    return c->count == 4 ? problem_of(sim_device_set(*c->device, c->words[2], c->words[VALUE_AT])) : "not understood";
}

static const char *do_get(struct command *c)
{
    return c->count == 3 ? problem_of(sim_device_get(*c->device, c->words[2], c->out)) : "not understood";
}

static const char *do_fault(struct command *c)
{
    struct sim_fault fault;

    if (!sim_fault_parse(c->words + 2, c->count - 2, &fault))
        return "not understood";
    sim_device_set_fault(*c->device, fault);
    return NULL;
}

static const char *do_play(struct command *c)
{
    struct sim_play play;

    if (c->count < 4 || !sim_play_parse(c->words + VALUE_AT, c->count - VALUE_AT, c->sim->now_ms, &play))
        return "not understood";
    return problem_of(sim_device_play(*c->device, c->words[2], &play));
}

static bool parse_table(struct str text, enum modbus_table *ret_table)
{
    static const char *const names[] = {
        [TABLE_COIL] = "coil", [TABLE_DISCRETE] = "discrete", [TABLE_INPUT] = "input", [TABLE_HOLDING] = "holding"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_equal(text, str_of(names[i]))) {
            *ret_table = (enum modbus_table)i;
            return true;
        }
    return false;
}

static const char *do_hole(struct command *c)
{
    enum modbus_table table;
    int64_t from;
    int64_t to;

    if (c->count == 3 && str_equal(c->words[2], str_of("off"))) {
        sim_device_fill_holes(*c->device);
        return NULL;
    }
    if (c->count != 5 || !parse_table(c->words[2], &table) || text_read_int(c->words[3], &from) < 0 ||
        text_read_int(c->words[4], &to) < 0 || from < 0 || to > UINT16_MAX)
        return "not understood";
    if (sim_device_make_hole(*c->device, table, (uint32_t)from, (uint32_t)to) < 0)
        return "no such addresses";
    return NULL;
}

static const char *do_replay(struct command *c)
{
    struct replay **replay = &c->sim->replays[c->device - c->sim->devices];
    struct buf problem = {0};
    struct replay *next = NULL;
    char path[4096];
    int r = 0;

    if (c->count != 3 || c->words[2].len >= sizeof(path))
        return "not understood";
    memcpy(path, c->words[2].data, c->words[2].len);
    path[c->words[2].len] = '\0';
    if (strcmp(path, "off") != 0)
        r = replay_open(path, *c->device, c->sim->now_ms, &problem, &next);
    if (r < 0)
        buf_printf(c->out, "error: %s: " STR_FMT, path, STR_ARG(buf_str(&problem)));
    buf_fini(&problem);
    if (r == 0) {
        replay_free(*replay);
        *replay = next;
    }
    return NULL;
}

static const struct {
    const char *name;
    size_t max_words;
    const char *(*run)(struct command *c);
} commands[] = {
    {"set", 4, do_set},   {"get", 3, do_get},   {"fault", 6, do_fault},
    {"play", 8, do_play}, {"hole", 6, do_hole}, {"replay", 3, do_replay},
};

static const char *device_command(struct simulator *sim, struct str line, struct buf *out)
{
    struct str words[MAX_WORDS];
    size_t count = split(line, words, MAX_WORDS);
    struct command c = {.sim = sim, .words = words, .out = out};

    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (count < 3 || !str_equal(words[0], str_of(commands[i].name)))
            continue;
        c.count = split(line, words, commands[i].max_words);
        c.device = find_device(sim, words[1]);
        return c.device ? commands[i].run(&c) : "no such device";
    }
    return "not understood";
}

void simulator_command(struct simulator *sim, struct str line, struct buf *out)
{
    size_t before = buf_len(out);
    const char *error = NULL;
    struct str words[2];
    size_t count = split(line, words, ARRAY_LEN(words));
    bool freeze = count == 1 && str_equal(words[0], str_of("freeze"));

    if (freeze || (count == 1 && str_equal(words[0], str_of("thaw"))))
        for (size_t i = 0; i < sim->device_count; i++)
            sim_device_freeze(sim->devices[i], freeze);
    else
        error = device_command(sim, line, out);
    if (error)
        buf_printf(out, "error: %s", error);
    else if (buf_len(out) == before && !(count > 0 && str_equal(words[0], str_of("get"))))
        buf_put_text(out, "ok");
    buf_put_text(out, "\n");
}
