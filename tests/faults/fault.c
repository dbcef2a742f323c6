/* Makes one call of a process fail, stop or kill it; to be preloaded (LD_PRELOAD).
 *
 * FAULT_CALL   rename, fsync, write or fallocate
 * FAULT_PATH   a part of the path of the file; for rename, of its new name
 * FAULT_NTH    which of these calls, from 1 on; 0 for all of them
 * FAULT_DO     stop or kill (before the call), after (kill after it), or an errno, with which it fails
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int calls;

/* 0: go on; 1: fail with errno; 2: kill after the call. */
static int meets(const char *call, const char *path)
{
    const char *wanted = getenv("FAULT_CALL"), *part = getenv("FAULT_PATH");
    const char *nth = getenv("FAULT_NTH"), *what = getenv("FAULT_DO");
    if (!wanted || !part || !nth || !what || strcmp(call, wanted) || !strstr(path, part))
        return 0;
    if (++calls != atoi(nth) && atoi(nth))
        return 0;
    if (!strcmp(what, "stop"))
        return raise(SIGSTOP) & 0;
    if (!strcmp(what, "kill"))
        return raise(SIGKILL) & 0;
    if (!strcmp(what, "after"))
        return 2;
    errno = atoi(what);
    return 1;
}

static int meets_file(const char *call, int file)
{
    char link[64], path[4096];
    if (!getenv("FAULT_CALL"))
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return meets(call, path);
}

#define REAL(name, type) ((type)dlsym(RTLD_NEXT, name))
#define CALL(met, real)                                                                            \
    do {                                                                                           \
        int met_ = (met);                                                                          \
        if (met_ == 1)                                                                             \
            return -1;                                                                             \
        __typeof__(real) result_ = (real);                                                         \
        if (met_ == 2)                                                                             \
            raise(SIGKILL);                                                                        \
        return result_;                                                                            \
    } while (0)

int rename(const char *from, const char *to)
{
    CALL(meets("rename", to), REAL("rename", int (*)(const char *, const char *))(from, to));
}

int fsync(int file)
{
    CALL(meets_file("fsync", file), REAL("fsync", int (*)(int))(file));
}

ssize_t write(int file, const void *data, size_t size)
{
    CALL(meets_file("write", file),
         REAL("write", ssize_t(*)(int, const void *, size_t))(file, data, size));
}

int posix_fallocate(int file, off_t offset, off_t size)
{
    if (meets_file("fallocate", file) == 1)
        return errno;
    return REAL("posix_fallocate", int (*)(int, off_t, off_t))(file, offset, size);
}

int posix_fallocate64(int file, off64_t offset, off64_t size)
{
    if (meets_file("fallocate", file) == 1)
        return errno;
    return REAL("posix_fallocate64", int (*)(int, off64_t, off64_t))(file, offset, size);
}

ssize_t pwrite64(int file, const void *data, size_t size, off64_t offset)
{
    CALL(meets_file("write", file),
         REAL("pwrite64", ssize_t(*)(int, const void *, size_t, off64_t))(file, data, size, offset));
}
