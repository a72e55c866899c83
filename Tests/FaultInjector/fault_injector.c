// Lets every n-th sendmmsg of a process it is preloaded into fail, as a busy or forbidding system would.
//
//   cc -O2 -shared -fPIC -o fault_injector.so fault_injector.c
//   FAULT_ERRNO=105 FAULT_EVERY=3 LD_PRELOAD=./fault_injector.so command
#define _GNU_SOURCE
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int failure;
static unsigned every;
static atomic_uint calls;

__attribute__((constructor)) static void configure(void) {
    const char *number = getenv("FAULT_ERRNO");
    const char *period = getenv("FAULT_EVERY");
    failure = number == NULL ? 0 : atoi(number);
    every = period == NULL ? 0 : (unsigned)atoi(period);
}

int sendmmsg(int descriptor, struct mmsghdr *messages, unsigned int count, int flags) {
    if (failure != 0 && every != 0 && atomic_fetch_add(&calls, 1) % every == every - 1) {
        errno = failure;
        return -1;
    }
    return (int)syscall(SYS_sendmmsg, descriptor, messages, count, flags);
}
