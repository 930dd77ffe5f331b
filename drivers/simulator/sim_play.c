/* sim_play - see sim_play.h. */
#include "drivers/simulator/sim_play.h"

#include <math.h>

#include "config/text.h"

static const struct {
    const char *name;
    enum sim_play_kind kind;
    size_t words;
} plays[] = {{"ramp", PLAY_RAMP, 4}, {"counter", PLAY_COUNTER, 3}, {"sine", PLAY_SINE, 4}};

bool sim_play_parse(const struct str *words, size_t count, int64_t now_ms, struct sim_play *ret_play)
{
    struct sim_play play = {.start_ms = now_ms};
    size_t i = 0;

    while (i < ARRAY_LEN(plays) && (count == 0 || !str_equal(words[0], str_of(plays[i].name))))
        i++;
    if (i == ARRAY_LEN(plays) || count != plays[i].words)
        return false;
    play.kind = plays[i].kind;
    if (text_read_float(words[1], &play.base) < 0 || text_read_float(words[2], &play.span) < 0)
        return false;
    if (play.kind == PLAY_RAMP)
        play.span -= play.base;
    if (play.kind != PLAY_COUNTER && (text_read_duration(words[3], &play.period_ms) < 0 || play.period_ms <= 0))
        return false;
    *ret_play = play;
    return true;
}

double sim_play_value(const struct sim_play *play, int64_t now_ms)
{
    int64_t t_ms = now_ms - play->start_ms;
    double turns;

    if (play->kind == PLAY_COUNTER)
        return play->base + play->span * (double)t_ms / SECOND;
    turns = (double)(t_ms % play->period_ms) / (double)play->period_ms;
    return play->base + play->span * (play->kind == PLAY_SINE ? sin(2 * M_PI * turns) : turns);
}
