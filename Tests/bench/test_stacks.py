"""Samples are sorted by what the relay was doing, whatever perf writes around the names."""

import pytest

import stacks

USER, KERNEL = "    557c0a2f1c00", "ffffffff81c0f2a3"


def sample(*functions: str) -> str:
    """The innermost first; a name with a dot before it is the program's."""
    return "".join(f"{USER if name.startswith('.') else KERNEL} {name}\n" for name in functions) + "\n"


SEND = ("udp_sendmsg", "__sys_sendto", "__x64_sys_sendto", "do_syscall_64", ".sendto", ".run")


@pytest.mark.parametrize(
    ("functions", "part"),
    [
        ((".route", ".run"), stacks.PROGRAM),
        (SEND, stacks.SEND_REST),
        (("fib_table_lookup", "ip_route_output_flow", *SEND), stacks.SEND_ROUTE),
        (("__alloc_skb", "ip_make_skb", *SEND), stacks.SEND_BUFFER),
        (("loopback_xmit", "ip_output", "ip_send_skb", *SEND), stacks.SEND_PATH),
        (("__udp4_lib_lookup", "net_rx_action", "ip_send_skb", *SEND), stacks.SEND_DELIVERY),
        (("ep_poll_callback", "sock_def_readable", "net_rx_action", "ip_send_skb", *SEND), stacks.SEND_WAKE),
        (("udp_recvmsg", "__arm64_sys_recvmmsg", "el0_svc", ".run"), stacks.RECEIVING),
        (("schedule", "__x64_sys_epoll_wait", "do_syscall_64"), stacks.ASKING),
        (("schedule", "__x64_sys_clock_nanosleep", "do_syscall_64"), stacks.GATHERING),
        (("do_syscall_64", "entry_SYSCALL_64_after_hwframe", ".sendto"), stacks.CROSSING),
        (("update_process_times", "asm_sysvec_apic_timer_interrupt", ".run"), stacks.OTHER),
    ],
)
def test_a_sample_is_of_one_part(functions: tuple[str, ...], part: str) -> None:
    assert stacks.shares(sample(*functions))[part] == 1


def test_offsets_and_inlined_functions_do_not_hide_a_name() -> None:
    text = f"{KERNEL} __x64_sys_recvfrom+0x2a ([kernel.kallsyms])\n{USER} .run (inlined)\n"
    assert stacks.shares(text)[stacks.RECEIVING] == 1


def test_an_address_without_a_name_is_counted() -> None:
    assert stacks.shares(f"{USER}\n{USER} .run\n\n")[stacks.PROGRAM] == 1


def test_shares_are_of_all_samples() -> None:
    found = stacks.shares(sample(*SEND) * 3 + sample(".run"))
    assert (found[stacks.SEND_REST], found[stacks.PROGRAM]) == (0.75, 0.25)
    assert sum(found.values()) == 1


def test_no_samples_have_no_shares() -> None:
    assert stacks.shares("\n\n") == {}
