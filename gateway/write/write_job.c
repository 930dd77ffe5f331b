/* write_job - see write_job.h. */
#include "write/write_job.h"

#include "core/arena.h"

struct str write_job_keep(struct write_job *job, struct str text)
{
    const char *copy = arena_strdup(job->arena, text);

    return copy ? (struct str){.data = copy, .len = text.len} : str_of("");
}

struct write_job *write_job_new(const struct write_request *req, struct arena *arena)
{
    struct write_job *job = arena_alloc(arena, sizeof(*job));

    if (!job)
        return NULL;
    job->arena = arena;
    job->count = req->count;
    job->device = arena_strdup(arena, req->device);
    job->entries = arena_alloc(arena, (req->count + 1) * sizeof(job->entries[0]));
    job->command.write.items = arena_alloc(arena, (req->count + 1) * sizeof(job->command.write.items[0]));
    if (!job->device || !job->entries || !job->command.write.items)
        return NULL;
    list_init(&job->node);
    job->id = req->id;
    for (size_t i = 0; i < req->count; i++)
        job->entries[i] = (struct job_entry){
            .name = req->items[i].name.data, .text = req->items[i].text, .json = req->items[i].given};
    return job;
}

struct write_job *write_job_new_single(const char *device, const char *tag, struct str value)
{
    struct arena *arena = arena_new();
    struct request_item item = {.is_value = true};
    const struct write_request req = {.device = str_of(device), .items = &item, .count = 1};
    const char *name = arena ? arena_strdup(arena, str_of(tag)) : NULL;
    const char *text = arena ? arena_strdup(arena, value) : NULL;
    struct write_job *job = NULL;

    if (name && text) {
        item.name = str_of(name);
        item.text = str_of(text);
        job = write_job_new(&req, arena);
    }
    if (!job)
        arena_free(arena);
    return job;
}

void write_job_free(struct write_job *job)
{
    if (job)
        arena_free(job->arena);
}
