/* A disk that breaks when a test says so. While the file named by FAILING_SYNCS is there, no file whose path ends with
   what it holds can be synced; while the one named by FAILING_WRITES is there, none such can be written. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int fails(const char *variable, int fd) {
    const char *control = getenv(variable);
    int file = control ? open(control, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return 0;
    char end[256], link[64], path[4096];
    ssize_t wanted = read(file, end, sizeof end);
    close(file);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path);
    if (wanted <= 0 || length < wanted || memcmp(path + length - wanted, end, wanted)) return 0;
    errno = EIO;
    return 1;
}

int fsync(int fd) { return fails("FAILING_SYNCS", fd) ? -1 : (int)syscall(SYS_fsync, fd); }

int fdatasync(int fd) { return fails("FAILING_SYNCS", fd) ? -1 : (int)syscall(SYS_fdatasync, fd); }

ssize_t write(int fd, const void *from, size_t bytes) {
    return fails("FAILING_WRITES", fd) ? -1 : syscall(SYS_write, fd, from, bytes);
}

ssize_t pwrite64(int fd, const void *from, size_t bytes, off64_t at) {
    return fails("FAILING_WRITES", fd) ? -1 : syscall(SYS_pwrite64, fd, from, bytes, at);
}

ssize_t pwrite(int fd, const void *from, size_t bytes, off_t at) { return pwrite64(fd, from, bytes, at); }
