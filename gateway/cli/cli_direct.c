/* cli_direct - a job on a port that is opened for it; see cli_session.h. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/cli_session.h"
#include "core/clock.h"
#include "drivers/link.h"

enum { PROCESS_LEN = 32 };

struct direct {
    struct session *session;
    struct bus_settings bus; /* with the port settings of the moment */
    const struct port_settings *port;
    struct link *link;
    session_tell_fn *tell;
    void *arg;
    enum session_result result;
};

static bool has_open(const char *process, const char *path)
{
    char folder[PATH_MAX];
    struct dirent *e;
    bool has = false;
    DIR *dir;

    snprintf(folder, sizeof(folder), "/proc/%s/fd", process);
    dir = opendir(folder);
    while (dir && !has && (e = readdir(dir))) {
        char target[PATH_MAX];
        ssize_t len = readlinkat(dirfd(dir), e->d_name, target, sizeof(target) - 1);

        if (len > 0) {
            target[len] = '\0';
            has = strcmp(target, path) == 0;
        }
    }
    if (dir)
        closedir(dir);
    return has;
}

static void name_process(const char *process, char ret_name[PROCESS_LEN])
{
    char path[64];
    FILE *f;

    ret_name[0] = '\0';
    snprintf(path, sizeof(path), "/proc/%.16s/comm", process);
    f = fopen(path, "re");
    if (f && fgets(ret_name, PROCESS_LEN, f))
        ret_name[strcspn(ret_name, "\n")] = '\0';
    if (f)
        fclose(f);
}

/* " (process 812, wirepost, has it)", or nothing when that cannot be seen. Of several one of ours. */
static void say_who_has(const char *device, char *ret_text, size_t size)
{
    char path[PATH_MAX];
    char name[PROCESS_LEN] = "";
    DIR *dir = realpath(device, path) ? opendir("/proc") : NULL;
    struct dirent *e;
    char self[16];

    snprintf(self, sizeof(self), "%d", getpid());
    while (dir && strcmp(name, "wirepost") != 0 && (e = readdir(dir))) {
        if (e->d_name[0] < '1' || e->d_name[0] > '9' || strcmp(e->d_name, self) == 0 || !has_open(e->d_name, path))
            continue;
        name_process(e->d_name, name);
        snprintf(ret_text, size, " (process %s, %s, has it)", e->d_name, name);
    }
    if (dir)
        closedir(dir);
}

static void say_cannot_open(const struct direct *d, int error)
{
    char who[128] = "";

    if (d->bus.host) {
        session_complain(d->session, "cannot connect to %s:%u: %s", d->bus.host, d->bus.tcp_port, strerror(error));
        return;
    }
    if (error == EBUSY)
        say_who_has(d->bus.port.device, who, sizeof(who));
    session_complain(d->session, "cannot open %s: %s%s", d->bus.port.device, strerror(error), who);
}

static int open_link(struct direct *d, const struct port_settings *port)
{
    int r;

    if (d->link && d->port == port && link_fd(d->link) >= 0)
        return 0;
    link_free(d->link);
    d->link = NULL;
    d->bus.port = *port;
    d->port = port;
    r = link_new(&d->bus, d->session->signals, &d->link);
    return r < 0 ? r : link_open(d->link);
}

static bool is_answer(int result)
{
    return result >= 0 || result == -EREMOTEIO;
}

static struct answer ask(struct direct *d, const struct question *q, uint8_t *pdu)
{
    struct answer a = {.pdu = pdu};
    int64_t started_us = clock_mono_us();

    link_set_timeout(d->link, q->timeout_ms);
    a.result = link_transact(d->link, q->unit, q->pdu, q->len, q->want, pdu);
    a.took_us = clock_mono_us() - started_us;
    a.exception = link_exception(d->link);
    if (!is_answer(a.result) && a.result != -ECANCELED && a.result != -ENODEV && !q->once)
        link_drain(d->link, q->timeout_ms);
    if (a.result == -ENODEV)
        link_close(d->link);
    return a;
}

static void on_told(void *arg, struct str text)
{
    struct direct *d = arg;
    cJSON *object = cJSON_ParseWithLength(text.data, text.len);
    int result = object ? session_result_of(object) : -1;
    const cJSON *why = cJSON_GetObjectItemCaseSensitive(object, "error");

    if (object)
        d->tell(d->arg, object, text);
    if (result >= 0)
        d->result = (enum session_result)result;
    if (result == SESSION_FAILED && cJSON_IsString(why))
        session_complain(d->session, "%s", why->valuestring);
    cJSON_Delete(object);
}

static bool was_signalled(const struct session *s)
{
    struct signalfd_siginfo info;

    return read(s->signals, &info, sizeof(info)) == sizeof(info);
}

/* Asks until the job is done; false when the line cannot be opened, which has been said. */
static bool carry_on(struct direct *d, struct job *j, const struct port_settings *own)
{
    uint8_t pdu[LINK_PDU_MAX];
    struct question q;
    enum job_step step;

    while ((step = job_next(j, clock_mono_ms(), &q)) != JOB_DONE) {
        struct answer a;
        int r;

        if (was_signalled(d->session)) {
            job_cancel(j);
            return true;
        }
        if (step == JOB_AGAIN)
            continue;
        r = open_link(d, q.port ? q.port : own);
        if (r < 0 && r != -ECANCELED) {
            say_cannot_open(d, -r);
            return false;
        }
        a = r < 0 ? (struct answer){.result = r} : ask(d, &q, pdu);
        if (a.result == -ECANCELED) {
            job_cancel(j);
            return true;
        }
        job_answer(j, &a);
    }
    return true;
}

enum session_result direct_run(struct session *s, const char *kind, const cJSON *request, session_tell_fn *tell,
                               void *arg)
{
    struct direct d = {.session = s, .tell = tell, .arg = arg, .result = SESSION_FAILED};
    struct job_error error;
    struct job *j;
    int r = job_new(&s->site, kind, request, on_told, &d, &j, &error);

    if (r < 0) {
        session_complain(s, "%s", r == -EINVAL ? error.text : strerror(-r));
        return SESSION_FAILED;
    }
    d.bus = s->site.buses[job_bus(j)];
    if (!carry_on(&d, j, &s->site.buses[job_bus(j)].port))
        d.result = SESSION_FAILED;
    link_free(d.link);
    job_free(j);
    return d.result;
}
