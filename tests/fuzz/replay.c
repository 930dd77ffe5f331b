/* replay - runs a fuzz target over the files of the folders named on the command line. */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"

static int replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = NULL;
    struct stat st;
    int r = -EIO;

    if (!f)
        return -errno;
    if (fstat(fileno(f), &st) < 0)
        goto done;
    data = malloc(st.st_size > 0 ? (size_t)st.st_size : 1);
    if (!data || fread(data, 1, (size_t)st.st_size, f) != (size_t)st.st_size)
        goto done;
    LLVMFuzzerTestOneInput(data, (size_t)st.st_size);
    r = 0;

done:
    free(data);
    fclose(f);
    return r;
}

/* How many files were replayed, or an error. */
static int replay_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    char path[4096];
    int count = 0;
    int r = 0;

    if (!dir)
        return -errno;
    while (r == 0 && (entry = readdir(dir))) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        r = replay_file(path);
        count++;
    }
    closedir(dir);
    return r < 0 ? r : count;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        int count = replay_folder(argv[i]);

        if (count <= 0) {
            fprintf(stderr, "%s: %s\n", argv[i], count < 0 ? strerror(-count) : "nothing to replay");
            return 1;
        }
        printf("%s: %d inputs\n", argv[i], count);
    }
    return 0;
}
