/* Redis' own client library. Not by pkg-config, whose flags Swift's package manager does not take. */
#include <hiredis/hiredis.h>
#include <stdint.h>
#include <sys/eventfd.h>

/* The most arguments that one command may have. */
enum { chiredis_argument_limit = 1024 };

/* Adds a command whose arguments lie one after the other. The pointers that the library wants are made here, where a byte may be
   looked at as a char. Answers REDIS_OK or REDIS_ERR. */
static inline int chiredis_append(redisContext *context, int count, const uint8_t *bytes, const size_t *lengths) {
    const char *arguments[chiredis_argument_limit];
    if (count < 1 || count > chiredis_argument_limit) return REDIS_ERR;
    for (int index = 0; index < count; index++) {
        arguments[index] = (const char *)bytes;
        bytes += lengths[index];
    }
    return redisAppendCommandArgv(context, count, arguments, lengths);
}

/* The next complete reply of those that were read, or null; *status is REDIS_ERR if what came is no Redis. */
static inline redisReply *chiredis_next(redisContext *context, int *status) {
    void *reply = 0;
    *status = redisGetReplyFromReader(context, &reply);
    return (redisReply *)reply;
}

/* A bell, which Swift's module of the C library does not know. */
static inline int chiredis_bell(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
static inline void chiredis_bell_ring(int bell) { (void)eventfd_write(bell, 1); }
static inline void chiredis_bell_silence(int bell) {
    eventfd_t count;
    (void)eventfd_read(bell, &count);
}
