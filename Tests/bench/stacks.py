"""Sorts the samples of a relay's time, as `perf script` prints them, into what the relay was doing."""

from collections import Counter
from collections.abc import Iterator

# Where the kernel's half of the addresses begins.
KERNEL = 1 << 63

PROGRAM = "the program itself"
CROSSING = "into the kernel and back"
RECEIVING = "receiving"
ASKING = "asking what is ready, sleeping, being woken"
GATHERING = "waiting for more packets"
OTHER = "the kernel otherwise"
SEND_ROUTE = "sending: looking up the route"
SEND_BUFFER = "sending: a buffer, and the payload into it"
SEND_DELIVERY = "sending: into the receiver's socket"
SEND_WAKE = "sending: waking the receiver"
SEND_PATH = "sending: through IP and the device"
SEND_REST = "sending: the call, addresses, checks"

# As a report lists them.
PARTS = (
    SEND_REST,
    SEND_ROUTE,
    SEND_BUFFER,
    SEND_PATH,
    SEND_DELIVERY,
    SEND_WAKE,
    RECEIVING,
    ASKING,
    GATHERING,
    CROSSING,
    PROGRAM,
    OTHER,
)

# The first rule that knows a function of a stack decides; what a send does further down stands before what it is.
_SENDS = {"sendto", "sendmsg", "sendmmsg"}
_OF_A_SEND = (
    (SEND_WAKE, {"sock_def_readable"}),
    (SEND_DELIVERY, {"net_rx_action", "process_backlog", "handle_softirqs", "__do_softirq"}),
    (SEND_PATH, {"udp_send_skb", "ip_send_skb", "ip6_send_skb"}),
    (SEND_BUFFER, {"ip_make_skb", "ip6_make_skb", "ip_append_data"}),
    (SEND_ROUTE, {"ip_route_output_flow", "ip_route_output_key_hash", "ip6_sk_dst_lookup_flow"}),
)
_OF_A_CALL = (
    (RECEIVING, {"recvfrom", "recvmsg", "recvmmsg"}),
    (ASKING, {"epoll_wait", "epoll_pwait", "epoll_pwait2", "ppoll", "poll"}),
    (GATHERING, {"nanosleep", "clock_nanosleep"}),
)
_CROSSINGS = {
    "do_syscall_64",
    "el0_svc",
    "entry_SYSCALL_64",
    "entry_SYSCALL_64_after_hwframe",
    "entry_SYSCALL_64_safe_stack",
    "syscall_return_via_sysret",
}

# A stack: addresses and functions, the innermost first.
Stack = list[tuple[int, str]]


def stacks(text: str) -> Iterator[Stack]:
    """What `perf script -F ip,sym` prints: a line for each function, an empty one after each sample."""
    stack: Stack = []
    for line in text.splitlines():
        words = line.split(maxsplit=1)
        if words:
            # Functions that were inlined, or have an offset, are told apart by what follows their name.
            name = words[1].split("+", 1)[0].split(" ", 1)[0] if len(words) == 2 else ""
            stack.append((int(words[0], 16), name))
        elif stack:
            yield stack
            stack = []
    if stack:
        yield stack


def part(stack: Stack) -> str:
    """What the relay was doing."""
    kernel = [name for address, name in stack if address >= KERNEL]
    if not kernel:
        return PROGRAM
    # `__x64_sys_sendto`, `__arm64_sys_sendto`.
    calls = {name.partition("_sys_")[2] for name in kernel if "_sys_" in name}
    if calls & _SENDS:
        return next((known for known, names in _OF_A_SEND if names & set(kernel)), SEND_REST)
    for known, names in _OF_A_CALL:
        if calls & names:
            return known
    return CROSSING if kernel[0] in _CROSSINGS else OTHER


def shares(text: str) -> dict[str, float]:
    """The share of each part in all samples; they sum up to 1. Empty if there is no sample."""
    counts = Counter(map(part, stacks(text)))
    total = counts.total()
    return {name: counts[name] / total for name in PARTS} if total else {}
