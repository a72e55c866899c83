"""The walk through a binary's calls finds what it is there to find, in machine code made up for it."""

import pytest

from disassembly import Disassembly
from hot_path import Rules, Violation, Walk

# `pass` calls `route` and `handle`; `route` calls `look`; `look` copies. `handle` allocates.
PROGRAM = """
relay:     file format elf64-x86-64

Disassembly of section .plt:

0000000000001000 <memcpy@plt>:
    1000:\tjmp    *0x2fe2(%rip)        # 3fe8 <memcpy@GLIBC_2.14>

0000000000001010 <recvmmsg@plt>:
    1010:\tjmp    *0x2fda(%rip)        # 3ff0 <recvmmsg@GLIBC_2.12>

Disassembly of section .text:

0000000000002000 <pass>:
    2000:\tcall   1010 <recvmmsg@plt>
    2005:\tjne    2010 <pass+0x10>
    2007:\tcall   2100 <route>
    2010:\tcall   2300 <handle>
    2015:\tret

0000000000002100 <route>:
    2100:\tjmp    2200 <look>

0000000000002200 <look>:
    2200:\tmov    $0x1d8,%edx
    2205:\tcall   1000 <memcpy@plt>
    220a:\tret

0000000000002300 <handle>:
    2300:\tcall   2400 <swift_allocObject>
    2305:\tret

0000000000002400 <swift_allocObject>:
    2400:\tret
"""
COPY = "    2200:\tmov    $0x1d8,%edx\n    2205:\tcall   1000 <memcpy@plt>\n"


def walk(program, *, hot=("pass",), cold=("handle",), system=("recvmmsg",), indirect=(), symbols=()):
    code = Disassembly(program.splitlines(keepends=True), symbols)
    return Walk(code, Rules(hot, cold, system, indirect)).run()


def with_look(*lines):
    """The program with other instructions in place of the copy in `look`."""
    return PROGRAM.replace(COPY, "".join(f"    {line}\n" for line in lines))


def test_a_forbidden_call_is_found_with_its_chain_of_callers():
    outcome = walk(PROGRAM)
    assert outcome.violations == [Violation("memcpy of 472 bytes", ("pass", "route", "look"), 0x2205)]


def test_the_size_of_a_copy_is_told_only_where_it_is_certain():
    program = PROGRAM.replace(COPY, COPY.replace("    2205", "    2203:\tmov    %rax,%rdx\n    2205"))
    assert [one.what for one in walk(program).violations] == ["memcpy"]


def test_a_clean_path_passes_and_says_what_it_reaches():
    outcome = walk(with_look("2205:\tnop"))
    assert outcome.violations == []
    assert (outcome.functions, outcome.system, outcome.cold) == (3, {"recvmmsg"}, {"handle"})


def test_the_walk_goes_on_where_no_boundary_is():
    outcome = walk(with_look("2205:\tnop"), cold=())
    assert outcome.violations == [Violation("swift_allocObject", ("pass", "handle"), 0x2300)]


@pytest.mark.parametrize(
    ("lists", "what"),
    [
        ({"hot": ("pass", "gone")}, "hot function gone is not in the binary"),
        ({"hot": ("gone",)}, "hot function gone is not in the binary"),
        ({"cold": ("handle", "gone")}, "cold function gone is not in the binary"),
        ({"hot": ("route", "pass")}, "hot function pass is not reached from route"),
        ({"indirect": ("look",)}, "look may make indirect calls and makes none: take it off the list"),
    ],
)
def test_a_list_that_no_longer_fits_the_binary_fails(lists, what):
    assert [one.what for one in walk(with_look("2205:\tnop"), **lists).violations] == [what]


@pytest.mark.parametrize(
    "instruction", ["call   *0x10(%rax)", "jmp    *%rax", "notrack jmp *%rax", "call   *0x9(%rip) # 3 <m>"]
)
def test_an_indirect_call_fails_unless_it_is_listed(instruction):
    program = with_look(f"2205:\t{instruction}")
    shown = instruction.removeprefix("notrack ")
    assert walk(program).violations == [Violation(f"the indirect `{shown}`", ("pass", "route", "look"), 0x2205)]
    assert walk(program, indirect=("look",)).violations == []


def test_a_switch_by_a_table_is_no_indirect_call():
    table = ("2201:\tmovslq (%rdi,%rsi,4),%r8", "2205:\tadd    %rdi,%r8", "2208:\tjmp    *%r8")
    assert walk(with_look(*table)).violations == []
    assert len(walk(with_look(*table[1:])).violations) == 1


@pytest.mark.parametrize("instruction", ["rep movsq %ds:(%rsi),%es:(%rdi)", "rep stos %rax,%es:(%rdi)", "syscall"])
def test_an_instruction_that_copies_or_enters_the_kernel_fails(instruction):
    outcome = walk(with_look(f"2205:\t{instruction}"))
    assert outcome.violations == [Violation(f"the instruction `{instruction}`", ("pass", "route", "look"), 0x2205)]


def test_an_atomic_instruction_is_counted():
    outcome = walk(with_look("2205:\tlock xadd %rax,0x2d1b(%rip)        # 2300 <handle>"))
    assert (outcome.violations, outcome.atomics) == ([], {"look": 1})


def test_a_function_of_the_system_that_is_not_listed_fails():
    outcome = walk(with_look("2205:\tnop"), system=())
    what = "recvmmsg, which is not on the list of system functions"
    assert outcome.violations == [Violation(what, ("pass",), 0x2000)]


@pytest.mark.parametrize(
    "symbol",
    [
        "swift_retain", "swift_release_n", "swift_bridgeObjectRetain", "swift_slowAlloc", "swift_deallocClassInstance",
        "swift_beginAccess", "swift_getTypeByMangledNameInContext2", "__swift_instantiateConcreteTypeFromMangledName",
        "swift_once", "swift_isUniquelyReferenced_native", "malloc@plt", "free@plt", "posix_memalign@plt", "_Znwm@plt",
        "__memcpy_chk@plt", "memmove@plt", "memset@plt", "clock_gettime@plt", "pthread_mutex_lock@plt", "syscall@plt",
    ],
)  # fmt: skip
def test_what_is_forbidden(symbol):
    program = with_look(f"2205:\tcall   2500 <{symbol}>") + f"\n0000000000002500 <{symbol}>:\n    2500:\tret\n"
    outcome = walk(program)
    assert outcome.violations == [Violation(symbol.partition("@")[0], ("pass", "route", "look"), 0x2205)]


def test_an_alias_does_not_hide_a_forbidden_function():
    program = with_look("2205:\tcall   2500 <innocent>") + "\n0000000000002500 <innocent>:\n    2500:\tret\n"
    outcome = walk(program, symbols=[(0x2500, 1, "innocent"), (0x2500, 1, "malloc")])
    assert [one.what for one in outcome.violations] == ["malloc"]


# Behind `look` lie two functions without a symbol: one copies, the other calls what its register says.
UNNAMED = """
    220a:\tret
    2210:\tjne    2218 <look+0x18>
    2213:\tcall   1000 <memcpy@plt>
    2218:\tret
    2220:\tcall   *%rax
"""
SIZES = [(0x2000, 0x20, "pass"), (0x2100, 5, "route"), (0x2200, 0xB, "look"), (0x2300, 6, "handle")]


def test_a_function_ends_where_its_symbol_does():
    program = with_look("2205:\tnop").replace("    220a:\tret\n", UNNAMED.lstrip("\n"))
    assert walk(program, symbols=SIZES).violations == []
    assert len(walk(program).violations) == 2


@pytest.mark.parametrize("instruction", ["call", "jmp ", "jne "])
def test_a_function_without_a_symbol_is_walked_when_it_is_called(instruction):
    program = with_look(f"2205:\t{instruction}   2210 <look+0x10>").replace("    220a:\tret\n", UNNAMED.lstrip("\n"))
    program = program.replace("    2015:\tret\n", "    2015:\tret\n    2030:\tcall   2220 <look+0x20>\n")
    outcome = walk(program, symbols=SIZES)
    assert outcome.violations == [Violation("memcpy", ("pass", "route", "look", "look+0x10"), 0x2213)]
