/* A disk whose fsync takes SYMBOLIST_TEST_FSYNC_MS milliseconds more (5 without it): preload this library.
 *
 *   cc -O2 -shared -fPIC -o /tmp/slow_fsync.so tests/support/slow_fsync.c -ldl
 *   LD_PRELOAD=/tmp/slow_fsync.so symbolist bench
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

static void wait_a_little(void) {
    const char *given = getenv("SYMBOLIST_TEST_FSYNC_MS");
    long ms = given ? atol(given) : 5;
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

int fsync(int file) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    wait_a_little();
    return real(file);
}

int fdatasync(int file) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    wait_a_little();
    return real(file);
}
