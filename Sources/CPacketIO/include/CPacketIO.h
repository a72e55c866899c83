// What Linux offers a packet loop and Swift cannot say by itself: calls behind feature macros, unions, variadic or
// macro interfaces. Thin wrappers, no policy. A failed call returns its error number instead of leaving it in `errno`,
// which Swift code between the call and the look could overwrite.
//
// What needs _GNU_SOURCE stands in CPacketIO.c: defined here, the macro would give this module other definitions of
// the system's types than Swift's Glibc module has.
#ifndef CPACKETIO_H
#define CPACKETIO_H

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

// What a call gave: a non-negative `value`, or `error` > 0.
struct packet_result {
    int32_t value;
    int32_t error;
};

static inline struct packet_result packet_result_of(int value) {
    struct packet_result result = {value, value < 0 ? errno : 0};
    return result;
}

// MARK: Addresses

// An IP address and port in host order. `family` is 4 or 6, and 0 for anything else.
struct packet_endpoint {
    uint64_t high;
    uint64_t low;
    uint16_t port;
    uint8_t family;
};

// A socket address of either family; a fifth of a sockaddr_storage.
union packet_sockaddr {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static inline socklen_t packet_sockaddr_store(union packet_sockaddr *out, struct packet_endpoint endpoint) {
    memset(out, 0, sizeof *out);
    if (endpoint.family == 4) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons(endpoint.port);
        out->v4.sin_addr.s_addr = htonl((uint32_t)endpoint.low);
        return sizeof out->v4;
    }
    uint64_t halves[2] = {htobe64(endpoint.high), htobe64(endpoint.low)};
    out->v6.sin6_family = AF_INET6;
    out->v6.sin6_port = htons(endpoint.port);
    memcpy(&out->v6.sin6_addr, halves, sizeof halves);
    return sizeof out->v6;
}

static inline struct packet_endpoint packet_sockaddr_load(const union packet_sockaddr *in) {
    struct packet_endpoint endpoint = {0, 0, 0, 0};
    if (in->any.sa_family == AF_INET) {
        endpoint.low = ntohl(in->v4.sin_addr.s_addr);
        endpoint.port = ntohs(in->v4.sin_port);
        endpoint.family = 4;
    } else if (in->any.sa_family == AF_INET6) {
        uint64_t halves[2];
        memcpy(halves, &in->v6.sin6_addr, sizeof halves);
        endpoint.high = be64toh(halves[0]);
        endpoint.low = be64toh(halves[1]);
        endpoint.port = ntohs(in->v6.sin6_port);
        endpoint.family = 6;
    }
    return endpoint;
}

// Whether two prepared addresses of `length` bytes each are the same.
static inline int packet_sockaddr_equal(const union packet_sockaddr *left, const union packet_sockaddr *right,
                                        socklen_t length) {
    // Family, port and, for IPv4, the address; what is behind them is zero.
    if (memcmp(left, right, 8) != 0) return 0;
    return length == sizeof left->v4 || memcmp(&left->v6.sin6_addr, &right->v6.sin6_addr, 16) == 0;
}

// MARK: Sockets

static inline struct packet_result packet_udp_socket(uint8_t family) {
    return packet_result_of(
        socket(family == 4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP));
}

static inline struct packet_result packet_set_option(int descriptor, int level, int name, int value) {
    return packet_result_of(setsockopt(descriptor, level, name, &value, sizeof value));
}

static inline struct packet_result packet_get_option(int descriptor, int level, int name) {
    int value = 0;
    socklen_t length = sizeof value;
    if (getsockopt(descriptor, level, name, &value, &length) < 0) return packet_result_of(-1);
    struct packet_result result = {value, 0};
    return result;
}

// Has the datagrams of a UDP socket leave in as many pieces as it takes, DF clear.
//
// Over IPv4, what the system believes of the path's MTU plays no part in it: anybody can forge a "fragmentation needed",
// and it would cut the datagrams of all sockets to that destination into pieces of 552 bytes. Routers cut those that need
// it. Over IPv6 they never do, so the sender has to heed a "packet too big", down to 1280 bytes.
static inline struct packet_result packet_set_fragmenting(int descriptor, uint8_t family) {
    return family == 4 ? packet_set_option(descriptor, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT)
                       : packet_set_option(descriptor, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT);
}

// Has the datagrams of an IPv4 UDP socket leave in one piece: refused if the interface cannot take them, with DF set for
// the routers behind it. Here, too, nothing depends on what is believed of the path.
static inline struct packet_result packet_set_whole(int descriptor) {
    return packet_set_option(descriptor, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
}

static inline struct packet_result packet_bind(int descriptor, struct packet_endpoint endpoint) {
    union packet_sockaddr address;
    socklen_t length = packet_sockaddr_store(&address, endpoint);
    return packet_result_of(bind(descriptor, &address.any, length));
}

// Fixes a datagram socket's far end; sends nothing.
static inline struct packet_result packet_connect(int descriptor, struct packet_endpoint endpoint) {
    union packet_sockaddr address;
    socklen_t length = packet_sockaddr_store(&address, endpoint);
    return packet_result_of(connect(descriptor, &address.any, length));
}

// `family` of the answer is 0 when the call failed.
static inline struct packet_endpoint packet_local_endpoint(int descriptor) {
    union packet_sockaddr address;
    socklen_t length = sizeof address;
    memset(&address, 0, sizeof address);
    if (getsockname(descriptor, &address.any, &length) < 0) memset(&address, 0, sizeof address);
    return packet_sockaddr_load(&address);
}

static inline struct packet_result packet_close(int descriptor) {
    return packet_result_of(close(descriptor));
}

// Throws one waiting datagram away; EAGAIN when there is none.
static inline struct packet_result packet_discard_one(int descriptor) {
    return packet_result_of((int)recv(descriptor, NULL, 0, MSG_DONTWAIT | MSG_TRUNC));
}

// Needs CAP_NET_RAW.
static inline struct packet_result packet_icmp_socket(uint8_t family) {
    int domain = family == 4 ? AF_INET : AF_INET6;
    return packet_result_of(
        socket(domain, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6));
}

// Lets a raw ICMP socket hear nothing but "destination unreachable", "time exceeded" and, for IPv6, "packet too big".
struct packet_result packet_icmp_hear_errors(int descriptor, uint8_t family);

// MARK: Batches

// One datagram of a batch: the kernel's mmsghdr.
struct packet_message {
    struct msghdr header;
    unsigned int length;
};

// Points a receive message at one slot and at the place for the sender's address, once for many receives.
static inline void packet_message_aim(struct packet_message *message, struct iovec *vector, union packet_sockaddr *name,
                                      void *slot, size_t capacity) {
    vector->iov_base = slot;
    vector->iov_len = capacity;
    message->header.msg_name = name;
    message->header.msg_namelen = sizeof *name;
    message->header.msg_iov = vector;
    message->header.msg_iovlen = 1;
    message->header.msg_control = NULL;
    message->header.msg_controllen = 0;
    message->header.msg_flags = 0;
    message->length = 0;
}

// Takes back what a receive wrote into a message beside its length: the sizes of the sender's address and of the control
// messages, and the flags.
static inline void packet_message_rearm(struct packet_message *message, size_t control_capacity) {
    message->header.msg_namelen = sizeof(union packet_sockaddr);
    message->header.msg_controllen = control_capacity;
    message->header.msg_flags = 0;
}

// Makes a send message out of a prepared address and gather list.
static inline void packet_message_gather(struct packet_message *message, struct iovec *vectors, size_t count,
                                         union packet_sockaddr *name, socklen_t length) {
    message->header.msg_name = name;
    message->header.msg_namelen = length;
    message->header.msg_iov = vectors;
    message->header.msg_iovlen = count;
    message->header.msg_control = NULL;
    message->header.msg_controllen = 0;
    message->header.msg_flags = 0;
    message->length = 0;
}

static inline int packet_message_was_truncated(const struct packet_message *message) {
    return (message->header.msg_flags & MSG_TRUNC) != 0;
}

// MARK: Segmentation: several datagrams of one flow and size, cut and joined by the kernel

// Room for one control message with a number.
union packet_control {
    struct cmsghdr header;
    unsigned char bytes[CMSG_SPACE(sizeof(int))];
};

// Datagrams that the kernel puts into one message at most; its own bound is 64 in kernels before 6.9.
enum { packet_segment_limit = 64 };

// Has the kernel join what arrives in a row into one message, whose segment size it tells.
static inline struct packet_result packet_set_joining(int descriptor) {
    return packet_set_option(descriptor, IPPROTO_UDP, UDP_GRO, 1);
}

// Has a message leave in datagrams of `size` bytes, the last of which may be shorter.
static inline void packet_message_cut(struct packet_message *message, union packet_control *control, uint16_t size) {
    message->header.msg_control = control;
    message->header.msg_controllen = CMSG_SPACE(sizeof size);
    control->header.cmsg_level = IPPROTO_UDP;
    control->header.cmsg_type = UDP_SEGMENT;
    control->header.cmsg_len = CMSG_LEN(sizeof size);
    memcpy(CMSG_DATA(&control->header), &size, sizeof size);
}

// Makes room for the segment size of a message to be received.
static inline void packet_message_expect_segments(struct packet_message *message, union packet_control *control) {
    message->header.msg_control = control;
    message->header.msg_controllen = sizeof *control;
}

// The segment size of a received message; 0 if it is one datagram.
static inline int packet_message_segment_size(const struct packet_message *message) {
    const struct cmsghdr *header = (const struct cmsghdr *)message->header.msg_control;
    if (message->header.msg_controllen < CMSG_LEN(sizeof(int)) || header == NULL) return 0;
    if (header->cmsg_level != IPPROTO_UDP || header->cmsg_type != UDP_GRO) return 0;
    int size = 0;
    memcpy(&size, CMSG_DATA(header), sizeof size);
    return size;
}

// MARK: Calls

// Sends one datagram to where a socket is connected.
static inline struct packet_result packet_send_connected(int descriptor, const void *bytes, size_t count) {
    return packet_result_of((int)send(descriptor, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL));
}

// Sends one datagram.
static inline struct packet_result packet_send_to(int descriptor, const void *bytes, size_t count,
                                                  const union packet_sockaddr *name, socklen_t length) {
    return packet_result_of((int)sendto(descriptor, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL, &name->any, length));
}

// Sends a message that is one piece and asks for nothing else, with less ado than `packet_send`, and answers as it does.
static inline struct packet_result packet_send_alone(int descriptor, const struct packet_message *message) {
    const struct iovec *piece = message->header.msg_iov;
    const struct sockaddr *name = (const struct sockaddr *)message->header.msg_name;
    ssize_t length = sendto(descriptor, piece->iov_base, piece->iov_len, MSG_DONTWAIT | MSG_NOSIGNAL, name,
                            message->header.msg_namelen);
    return packet_result_of(length < 0 ? -1 : 1);
}

// Reads one datagram without waiting.
static inline struct packet_result packet_receive_one(int descriptor, void *bytes, size_t capacity) {
    return packet_result_of((int)recv(descriptor, bytes, capacity, MSG_DONTWAIT));
}

// Reads one datagram without waiting into a message's own place, with less ado than `packet_receive`: for sockets whose
// datagrams are never joined, since nothing tells a segment size here.
static inline struct packet_result packet_receive_from(int descriptor, struct packet_message *message) {
    const struct iovec *place = message->header.msg_iov;
    struct sockaddr *name = (struct sockaddr *)message->header.msg_name;
    ssize_t length = recvfrom(descriptor, place->iov_base, place->iov_len, MSG_DONTWAIT | MSG_TRUNC, name,
                              &message->header.msg_namelen);
    if (length < 0) return packet_result_of(-1);
    message->header.msg_controllen = 0;
    message->header.msg_flags = (size_t)length > place->iov_len ? MSG_TRUNC : 0;
    message->length = (unsigned)length;
    return packet_result_of(1);
}

// Reads up to `count` datagrams without waiting.
struct packet_result packet_receive(int descriptor, struct packet_message *messages, uint32_t count);

// Sends up to `count` datagrams without waiting; stops at the first that fails.
struct packet_result packet_send(int descriptor, struct packet_message *messages, uint32_t count);

// MARK: Readiness

static inline struct packet_result packet_poller_create(void) {
    return packet_result_of(epoll_create1(EPOLL_CLOEXEC));
}

// Level-triggered, input only.
static inline struct packet_result packet_poller_add(int poller, int descriptor, uint64_t identifier) {
    struct epoll_event event = {.events = EPOLLIN, .data = {.u64 = identifier}};
    return packet_result_of(epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event));
}

static inline struct packet_result packet_poller_wait(int poller, struct epoll_event *events, int capacity,
                                                      int timeout_milliseconds) {
    return packet_result_of(epoll_wait(poller, events, capacity, timeout_milliseconds));
}

static inline struct packet_result packet_wakeup_create(void) {
    return packet_result_of(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
}

static inline struct packet_result packet_wakeup_signal(int descriptor) {
    return packet_result_of(eventfd_write(descriptor, 1));
}

static inline struct packet_result packet_wakeup_clear(int descriptor) {
    eventfd_t value = 0;
    return packet_result_of(eventfd_read(descriptor, &value));
}

// MARK: Clocks

static inline uint64_t packet_monotonic_nanoseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

// Blocks the calling thread until the monotonic clock shows `nanoseconds`.
static inline void packet_sleep_until(uint64_t nanoseconds) {
    struct timespec time = {(time_t)(nanoseconds / 1000000000u), (long)(nanoseconds % 1000000000u)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR) {
    }
}

static inline uint64_t packet_unix_seconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME_COARSE, &time);
    return time.tv_sec < 0 ? 0 : (uint64_t)time.tv_sec;
}

// MARK: Randomness

// Fills memory with random bytes that nobody can guess.
static inline struct packet_result packet_random_fill(void *bytes, size_t count) {
    size_t filled = 0;
    while (filled < count) {
        ssize_t got = getrandom((char *)bytes + filled, count - filled, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return packet_result_of(-1);
        filled += (size_t)got;
    }
    return packet_result_of(0);
}

// MARK: Threads and limits

// Processors this process may run on; 1 if the mask cannot be read.
int packet_allowed_cpu_count(void);

// Puts the calling thread on the `ordinal`th processor of its own mask, counted round.
struct packet_result packet_pin_thread(uint32_t ordinal);

// Has the timers of the calling thread end when they are due, not up to 50 microseconds later.
static inline void packet_sharpen_timers(void) {
    prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
}

// Names the calling thread; the kernel keeps 15 bytes of it.
void packet_name_thread(const char *name);

// Starts a detached thread that takes no signal, whatever the starter's own mask is.
static inline struct packet_result packet_start_thread(void *(*body)(void *), void *context) {
    sigset_t all, previous;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &previous);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_t thread;
    int error = pthread_create(&thread, &attributes, body, context);
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &previous, NULL);
    struct packet_result result = {error == 0 ? 0 : -1, error};
    return result;
}

// Raises the soft limit of open descriptors to the hard one; the answer is the limit then in force.
static inline uint64_t packet_raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return 0;
    if (limit.rlim_cur < limit.rlim_max) {
        struct rlimit raised = {limit.rlim_max, limit.rlim_max};
        if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
    }
    return (uint64_t)limit.rlim_cur;
}

// MARK: Interfaces

struct packet_interface_address {
    struct packet_endpoint endpoint;
    uint8_t is_loopback;
};

// Addresses of the interfaces that are up. Answers how many there are, writes at most `capacity` of them.
static inline struct packet_result packet_interface_addresses(struct packet_interface_address *out, int capacity) {
    struct ifaddrs *list = NULL;
    if (getifaddrs(&list) < 0) return packet_result_of(-1);
    int count = 0;
    for (struct ifaddrs *entry = list; entry != NULL; entry = entry->ifa_next) {
        if (entry->ifa_addr == NULL || !(entry->ifa_flags & IFF_UP)) continue;
        union packet_sockaddr address;
        memset(&address, 0, sizeof address);
        if (entry->ifa_addr->sa_family == AF_INET) {
            memcpy(&address.v4, entry->ifa_addr, sizeof address.v4);
        } else if (entry->ifa_addr->sa_family == AF_INET6) {
            memcpy(&address.v6, entry->ifa_addr, sizeof address.v6);
        } else {
            continue;
        }
        if (count < capacity) {
            out[count].endpoint = packet_sockaddr_load(&address);
            out[count].is_loopback = (entry->ifa_flags & IFF_LOOPBACK) != 0;
        }
        count++;
    }
    freeifaddrs(list);
    return packet_result_of(count);
}

#endif
