#define _GNU_SOURCE
#include "CPacketIO.h"

#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <sched.h>
#include <stddef.h>

_Static_assert(sizeof(struct packet_message) == sizeof(struct mmsghdr), "the kernel reads and writes these");
_Static_assert(offsetof(struct packet_message, length) == offsetof(struct mmsghdr, msg_len), "at the same places");

struct packet_result packet_receive(int descriptor, struct packet_message *messages, uint32_t count) {
    return packet_result_of(recvmmsg(descriptor, (struct mmsghdr *)messages, count, MSG_DONTWAIT, NULL));
}

struct packet_result packet_send(int descriptor, struct packet_message *messages, uint32_t count) {
    return packet_result_of(sendmmsg(descriptor, (struct mmsghdr *)messages, count, MSG_DONTWAIT | MSG_NOSIGNAL));
}

struct packet_result packet_icmp_hear_errors(int descriptor, uint8_t family) {
    if (family == 4) {
        // A set bit keeps the type of its number out.
        struct icmp_filter filter = {~(1u << ICMP_DEST_UNREACH | 1u << ICMP_TIME_EXCEEDED)};
        return packet_result_of(setsockopt(descriptor, SOL_RAW, ICMP_FILTER, &filter, sizeof filter));
    }
    struct icmp6_filter filter;
    ICMP6_FILTER_SETBLOCKALL(&filter);
    ICMP6_FILTER_SETPASS(ICMP6_DST_UNREACH, &filter);
    ICMP6_FILTER_SETPASS(ICMP6_PACKET_TOO_BIG, &filter);
    ICMP6_FILTER_SETPASS(ICMP6_TIME_EXCEEDED, &filter);
    return packet_result_of(setsockopt(descriptor, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter));
}

int packet_allowed_cpu_count(void) {
    cpu_set_t mask;
    CPU_ZERO(&mask);
    if (sched_getaffinity(0, sizeof mask, &mask) < 0) return 1;
    int count = CPU_COUNT(&mask);
    return count > 0 ? count : 1;
}

struct packet_result packet_pin_thread(uint32_t ordinal) {
    cpu_set_t mask;
    CPU_ZERO(&mask);
    if (sched_getaffinity(0, sizeof mask, &mask) < 0) return packet_result_of(-1);
    int count = CPU_COUNT(&mask);
    int left = count > 0 ? (int)(ordinal % (uint32_t)count) : 0;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &mask)) continue;
        if (left-- > 0) continue;
        cpu_set_t single;
        CPU_ZERO(&single);
        CPU_SET(cpu, &single);
        return packet_result_of(sched_setaffinity(0, sizeof single, &single));
    }
    errno = EINVAL;
    return packet_result_of(-1);
}

void packet_name_thread(const char *name) {
    char shortened[16] = {0};
    strncpy(shortened, name, sizeof shortened - 1);
    pthread_setname_np(pthread_self(), shortened);
}
