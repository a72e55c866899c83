/*
 * Sends UDP datagrams at a steady rate and says how many the kernel took.
 *
 *   packet_flood DESCRIPTOR RATE SECONDS BYTES [PREFIX] [CPU]
 *
 * DESCRIPTOR is a connected socket that was inherited, RATE is datagrams a second, BYTES the size of each. PREFIX (hex) is
 * what each begins with; the rest is zero. CPU is the processor to stay on. Prints one line when it has the socket and is
 * about to begin, and at the end "SENT NANOSECONDS BUSIEST_SECOND QUIETEST_SECOND".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { BATCH = 64, LARGEST = 2048, TICK_NANOSECONDS = 500000 };
static const int64_t SECOND = 1000000000;

static int64_t now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * SECOND + time.tv_nsec;
}

static void sleep_until(int64_t when)
{
	struct timespec time = { .tv_sec = when / SECOND, .tv_nsec = when % SECOND };
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR) { }
}

static void stay_on(int cpu)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof set, &set) != 0) {
		perror("sched_setaffinity");
		exit(1);
	}
}

/* Sends `count` datagrams; the answer is how many the kernel took. */
static int64_t send_some(int descriptor, struct mmsghdr *messages, int64_t count)
{
	int64_t sent = 0;
	while (sent < count) {
		int64_t wanted = count - sent < BATCH ? count - sent : BATCH;
		int taken = sendmmsg(descriptor, messages, (unsigned)wanted, MSG_DONTWAIT);
		if (taken > 0) {
			sent += taken;
		} else if (errno == EAGAIN || errno == ENOBUFS) {
			break;
		} else if (errno != EINTR && errno != ECONNREFUSED) {
			perror("sendmmsg");
			exit(1);
		}
	}
	return sent;
}

int main(int count, char **arguments)
{
	static unsigned char payload[LARGEST];
	static struct mmsghdr messages[BATCH];
	if (count < 5) {
		fprintf(stderr, "usage: packet_flood DESCRIPTOR RATE SECONDS BYTES [PREFIX] [CPU]\n");
		return 2;
	}
	int descriptor = atoi(arguments[1]);
	int64_t rate = atoll(arguments[2]), seconds = atoll(arguments[3]);
	size_t bytes = (size_t)atoll(arguments[4]);
	const char *prefix = count > 5 ? arguments[5] : "";
	if (bytes > LARGEST || strlen(prefix) / 2 > bytes || rate <= 0 || seconds <= 0) {
		fprintf(stderr, "packet_flood: an argument is out of range\n");
		return 2;
	}
	for (size_t index = 0; index < strlen(prefix) / 2; index++) {
		unsigned byte;
		if (sscanf(prefix + 2 * index, "%2x", &byte) != 1) return 2;
		payload[index] = (unsigned char)byte;
	}
	if (count > 6) stay_on(atoi(arguments[6]));
	struct iovec vector = { .iov_base = payload, .iov_len = bytes };
	for (int index = 0; index < BATCH; index++) {
		messages[index].msg_hdr.msg_iov = &vector;
		messages[index].msg_hdr.msg_iovlen = 1;
	}
	puts("begins");
	fflush(stdout);

	/* What a late tick owes is sent by the next one, up to a tenth of a second's worth. */
	int64_t begin = now(), end = begin + seconds * SECOND, tick = begin;
	int64_t sent = 0, owed_from = 0, in_second = 0, busiest = 0, quietest = INT64_MAX, second_end = begin + SECOND;
	while (tick < end) {
		int64_t due = (tick - begin) / TICK_NANOSECONDS * rate / (SECOND / TICK_NANOSECONDS);
		int64_t owed = due - owed_from;
		if (owed > rate / 10) owed = rate / 10;
		owed_from = due;
		int64_t taken = send_some(descriptor, messages, owed);
		sent += taken;
		in_second += taken;
		int64_t time = now();
		if (time >= second_end) {
			if (in_second > busiest) busiest = in_second;
			if (in_second < quietest) quietest = in_second;
			in_second = 0;
			second_end += SECOND;
		}
		tick += TICK_NANOSECONDS;
		if (tick < time) tick = time;
		else sleep_until(tick);
	}
	if (quietest == INT64_MAX) quietest = busiest = sent;
	printf("%lld %lld %lld %lld\n", (long long)sent, (long long)(now() - begin), (long long)busiest, (long long)quietest);
	return 0;
}
