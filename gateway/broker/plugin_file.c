/* plugin_file - see plugin_file.h. The loader's own words for a file of another machine help nobody: it is looked at
 * first. */
#include "broker/plugin_file.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/str.h"

/* What 32 and 64 bit headers have in common, at the same place. */
struct elf_start {
    unsigned char ident[EI_NIDENT];
    Elf64_Half type;
    Elf64_Half machine;
};

__attribute__((format(printf, 3, 4))) static int fail(struct plugin_file *f, int error, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(f->why, sizeof(f->why), fmt, args);
    va_end(args);
    return error;
}

static int read_start(const char *path, struct elf_start *ret_start)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, ret_start, sizeof(*ret_start));
    int r = n < 0 ? -errno : 0;

    if (fd >= 0)
        close(fd);
    if (r == 0 && (n < (ssize_t)sizeof(*ret_start) || memcmp(ret_start->ident, ELFMAG, SELFMAG) != 0))
        r = -ENOEXEC;
    return r;
}

/* The loader maps what the file says it has, and the process dies by SIGBUS when that is not there. */
static bool is_whole(const char *path, off_t size)
{
    ElfW(Ehdr) header;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool whole = fd >= 0 && pread(fd, &header, sizeof(header), 0) == (ssize_t)sizeof(header);

    for (unsigned i = 0; whole && i < header.e_phnum; i++) {
        ElfW(Phdr) part;
        off_t at = (off_t)(header.e_phoff + i * sizeof(part));

        whole = pread(fd, &part, sizeof(part), at) == (ssize_t)sizeof(part) &&
                (part.p_type != PT_LOAD ||
                 (part.p_filesz <= (uint64_t)size && part.p_offset <= (uint64_t)size - part.p_filesz));
    }
    if (fd >= 0)
        close(fd);
    return whole;
}

static const char *machine_name(unsigned machine)
{
    static const struct {
        unsigned machine;
        const char *name;
    } names[] = {{EM_X86_64, "x86-64"}, {EM_386, "i386"},  {EM_AARCH64, "aarch64"},      {EM_ARM, "arm"},
                 {EM_RISCV, "riscv"},   {EM_MIPS, "mips"}, {EM_PPC64, "powerpc 64 bit"}, {EM_S390, "s390"}};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (names[i].machine == machine)
            return names[i].name;
    return "another machine";
}

static int check_file(const char *path, struct plugin_file *f)
{
    struct elf_start theirs;
    struct elf_start ours;
    struct stat st;
    int r;

    if (stat(path, &st) < 0)
        return fail(f, -errno, "%s: look whether path: is right", strerror(errno));
    if (!S_ISREG(st.st_mode))
        return fail(f, -EINVAL, "not a file: path: must name the plugin's shared object (.so)");
    r = read_start(path, &theirs);
    if (r == -ENOEXEC)
        return fail(f, r, "not a shared object: build it with cc -shared -fPIC");
    if (r < 0)
        return fail(f, r, "cannot be read (%s)", strerror(-r));
    if (read_start("/proc/self/exe", &ours) < 0)
        return 0;
    if (theirs.machine != ours.machine || theirs.ident[EI_CLASS] != ours.ident[EI_CLASS] ||
        theirs.ident[EI_DATA] != ours.ident[EI_DATA])
        return fail(f, -ENOEXEC, "made for %s%s, this is %s: build it for this machine", machine_name(theirs.machine),
                    theirs.ident[EI_CLASS] == ELFCLASS32 ? " (32 bit)" : "", machine_name(ours.machine));
    if (!is_whole(path, st.st_size))
        return fail(f, -ENOEXEC, "cut short, perhaps still being copied: copy it again");
    return 0;
}

/* Whether what lies beyond what this version knows says nothing. */
static bool is_empty_beyond(const struct wirepost_plugin *p)
{
    const unsigned char *at = (const unsigned char *)p;

    for (size_t i = sizeof(*p); i < p->size; i++)
        if (at[i] != 0)
            return false;
    return true;
}

static int check_plugin(const struct wirepost_plugin *p, struct plugin_file *f)
{
    if (p->abi != WIREPOST_PLUGIN_ABI)
        return fail(f, -EPROTONOSUPPORT,
                    "made for plugin ABI %u, this wirepost has ABI %u: build it anew with this "
                    "version's wirepost/plugin.h",
                    p->abi, WIREPOST_PLUGIN_ABI);
    if (p->size < offsetof(struct wirepost_plugin, events))
        return fail(f, -EBADMSG, "says that it is %u bytes long: begin it with WIREPOST_PLUGIN_HEAD", p->size);
    if (p->size > sizeof(*p) && !is_empty_beyond(p))
        return fail(f, -EPROTONOSUPPORT, "listens to events that this wirepost does not have: it needs a newer one");
    return 0;
}

static int load(const char *path, struct plugin_file *f)
{
    const struct wirepost_plugin *p;
    const char *slash = strrchr(path, '/');
    int r;

    f->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!f->library)
        return fail(f, -ENOEXEC, "cannot be loaded (%s)", dlerror());
    p = dlsym(f->library, "wirepost_plugin");
    if (!p)
        return fail(f, -ENOEXEC, "no plugin of wirepost: it does not have the symbol wirepost_plugin");
    r = check_plugin(p, f);
    if (r < 0)
        return r;
    memcpy(&f->is, p, p->size < sizeof(f->is) ? p->size : sizeof(f->is));
    f->name = f->is.name ? f->is.name : slash ? slash + 1 : path;
    return 0;
}

int plugin_file_open(const char *path, struct plugin_file *ret_file)
{
    int r;

    *ret_file = (struct plugin_file){0};
    r = check_file(path, ret_file);
    if (r == 0)
        r = load(path, ret_file);
    if (r < 0)
        plugin_file_close(ret_file);
    return r;
}

void plugin_file_close(struct plugin_file *f)
{
    if (f->library)
        dlclose(f->library);
    f->library = NULL;
}
