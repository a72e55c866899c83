"""Proves from the release binary that relaying a packet allocates nothing, counts no reference and copies no payload.

    hot_path.py BINARY

Disassembles BINARY, walks every call that the functions of the packet path can make, and fails, with the chain of
callers and the source line, where the walk meets an allocation, a reference count, a copy, a lock, a clock, or a call
whose target cannot be told. The walk ends at functions that a relayed packet never enters. Branches are not weighed:
what a function can do at all counts as done.

A copy is seen as the call that the compiler makes of it. Up to 128 bytes it may write as moves instead: those are not
seen, and are no payload's.

The four lists below are all there is to edit when the sources change. Functions are named as
`swift demangle -simplified` names them, and have to be in the binary, so that no list goes stale.
"""

import argparse
import re
import subprocess
import sys
from collections import Counter, deque
from dataclasses import dataclass, field

from disassembly import Disassembly

# One function a line. The first must lead to all others: what it does not lead to is not the code that runs. Functions
# of the sources that are missing here are a part of others in a release build and are walked as such.
HOT_FUNCTIONS = (
    # Receives, routes and sends for all sockets that have something. `receiveFromClients(by:)`, `take(_:fromClientBy:)`
    # and `append(_:of:)` are in it.
    "RelayShard.pass(over:)",
    # `take(_:fromPeerBy:)` is in it.
    "RelayShard.receiveFromPeers(by:)",
    "RelayShard.send()",
    "DatagramReceiver.receive(from:limit:into:)",
    "DatagramReceiver.receiveOne(from:into:)",
    # `deliver` and the tables of flows are in these four.
    "TURNShard.route(_:from:now:)",
    "TURNShard.routeChannelData(_:from:now:)",
    "TURNShard.routeSend(_:from:now:)",
    "TURNShard.routePeer(byteCount:from:on:now:)",
    "specialized OpenTable.tag(of:)",
    "specialized OpenTable.place(of:tag:)",
    "Framing.writeHeader(payloadByteCount:transaction:into:)",
    "SendBatch.append(_:of:in:headerByteCount:paddingByteCount:from:descriptor:to:dontFragment:)",
    "SendBatch.enqueue(from:descriptor:to:)",
    # `gather` and `send` are in it.
    "SendBatch.flush()",
)

# Where the walk ends, one function a line.
COLD_FUNCTIONS = (
    # A message to the server itself, and what comes of it.
    "TURNShard.handle(_:from:now:unixSeconds:into:)",
    "RelayShard.applyEffects()",
    # Now and then: the second's end, the bell, an ICMP error, allocations that have ended.
    "RelayShard.sweep()",
    "RelayShard.obeyOrders()",
    "RelayShard.receiveICMP()",
    "RelayShard.closeRelays()",
    # Once a chunk of the server's budget, and only where there is one.
    "BandwidthShare.draw(_:now:)",
)

# What the packet path may call in the C library, one function a line.
SYSTEM_FUNCTIONS = (
    "recvmmsg",
    # One datagram of a socket that has no more, the rule from peers.
    "recvfrom",
    "sendmmsg",
    # One datagram of a socket that has no more, the rule towards peers.
    "sendto",
    # Turns the DF bit for datagrams that must not be fragmented, and has the kernel join those of a socket in bursts.
    "setsockopt",
    # Once for many transaction IDs.
    "getrandom",
    "__errno_location",
    # Ends the process.
    "__stack_chk_fail",
)

# Functions that may call or jump to what is in a register, one a line.
INDIRECT_CALLERS = ()

# By the symbol's own name. All of the Swift runtime: it allocates, counts references, looks up types, or ends the
# process.
FORBIDDEN = re.compile(
    r"_{0,2}swift_\w+"
    r"|(__libc_)?(malloc|calloc|realloc|reallocarray|free|memalign|posix_memalign|aligned_alloc|valloc|strn?dup)"
    r"|_Z(nw|na|dl|da)\w*"
    r"|_*(w?mem(cpy|pcpy|ccpy|move|set)|bcopy|bzero|st[rp]n?cpy)(_chk)?"
    r"|_*(clock_\w+|gettimeofday|time|nanosleep|usleep)"
    r"|_*(pthread_\w+|sem_\w+|futex\w*|syscall)"
)


@dataclass(frozen=True)
class Rules:
    """What to walk and where to end; `hot[0]` is where the packet path begins."""

    hot: tuple
    cold: tuple = ()
    system: tuple = ()
    indirect: tuple = ()


@dataclass(frozen=True)
class Violation:
    """What is wrong, through which functions it is reached, and at which instruction (none for what is not there)."""

    what: str
    chain: tuple = ()
    address: int | None = None


@dataclass
class Outcome:
    """All that a walk found."""

    violations: list = field(default_factory=list)
    functions: int = 0
    system: set = field(default_factory=set)
    cold: set = field(default_factory=set)
    atomics: Counter = field(default_factory=Counter)


class Walk:
    """Follows the calls of the hot functions. `readable` names a symbol as the rules do."""

    def __init__(self, code, rules, readable=lambda symbol: symbol):
        self.code, self.rules, self.readable = code, rules, readable
        self.outcome = Outcome()
        # By function: the one that led to it.
        self.callers = {}
        self.indirect_callers = set()
        self.by_name = {}
        for address, symbols in code.names.items():
            for symbol in symbols:
                self.by_name.setdefault(readable(symbol), []).append(address)

    def run(self):
        """Walks, and answers what was found."""
        self._miss(self.rules.hot, "hot function")
        self._miss(self.rules.cold, "cold function")
        self.cold = {address for name in self.rules.cold for address in self.by_name.get(name, ())}
        self._follow(self.rules.hot[0])
        for name in self.rules.hot[1:]:
            starts = self.by_name.get(name, ())
            if starts and not any(start in self.callers for start in starts):
                self._add(f"hot function {name} is not reached from {self.rules.hot[0]}")
            self._follow(name)
        for name in set(self.rules.indirect) - self.indirect_callers:
            self._add(f"{name} may make indirect calls and makes none: take it off the list")
        self.outcome.functions = len(self.callers)
        return self.outcome

    def _miss(self, names, kind):
        for name in names:
            if name not in self.by_name:
                self._add(f"{kind} {name} is not in the binary")

    def _add(self, what, start=None, event=None):
        chain = () if start is None else self._chain(start)
        self.outcome.violations.append(Violation(what, chain, event and event.address))

    def _name(self, start):
        return self.readable(self.code.named(start)[0])

    def _chain(self, start):
        chain = []
        while start is not None:
            chain.append(self._name(start))
            start = self.callers[start]
        return tuple(reversed(chain))

    def _follow(self, name):
        waiting = deque()
        for start in self.by_name.get(name, ()):
            self._reach(start, None, waiting)
        while waiting:
            start = waiting.popleft()
            for event in self.code.events(start):
                self._meet(event, start, waiting)

    def _reach(self, start, caller, waiting):
        if start not in self.callers:
            self.callers[start] = caller
            waiting.append(start)

    def _meet(self, event, start, waiting):
        if event.target is not None:
            self._enter(event, start, waiting)
        elif event.is_atomic:
            self.outcome.atomics[self._name(start)] += 1
        elif not event.is_indirect:
            self._add(f"the instruction `{event.text}`", start, event)
        elif (name := self._name(start)) in self.rules.indirect:
            self.indirect_callers.add(name)
        else:
            self._add(f"the indirect `{event.text}`", start, event)

    def _enter(self, event, start, waiting):
        symbols = self.code.named(event.target)
        if event.target in self.cold:
            self.outcome.cold.add(self._name(event.target))
        elif forbidden := [symbol for symbol in map(plain, symbols) if FORBIDDEN.fullmatch(symbol)]:
            size = "" if event.byte_count is None else f" of {event.byte_count} bytes"
            self._add(f"{forbidden[0]}{size}", start, event)
        elif symbols[0].endswith("@plt"):
            self.outcome.system.add(plain(symbols[0]))
            if plain(symbols[0]) not in self.rules.system:
                self._add(f"{plain(symbols[0])}, which is not on the list of system functions", start, event)
        else:
            self._reach(event.target, start, waiting)


def plain(symbol):
    """A symbol without its version and without what marks it as another library's."""
    return symbol.partition("@")[0]


def output_lines(*command):
    """What a command writes, line by line; its failure is ours."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, errors="replace") as process:
        yield from process.stdout
    if process.returncode != 0:
        sys.exit(f"{command[0]} failed with {process.returncode}")


def function_symbols(binary):
    """(address, size, name) of the functions that are in the binary."""
    for line in output_lines("nm", "--defined-only", "--print-size", binary):
        match line.split():
            case [address, size, kind, name] if kind in "tTwWi":
                yield int(address, 16), int(size, 16), name
            case [address, kind, name] if kind in "tTwWi":
                yield int(address, 16), 0, name


def demangled(names):
    """Swift's names as a reader knows them, by symbol."""
    names = sorted({name for name in names if name.startswith("$s")})
    shown = subprocess.run(
        ["swift", "demangle", "-compact", "-simplified"],
        input="\n".join(names),
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(zip(names, shown.stdout.splitlines(), strict=True))


# Much of what the compiler adds has no line of its own; its neighbours do.
NEIGHBOURS = (0, 5, -4, 10, -8, 16, -16, 24, -24)


def sources(binary, addresses):
    """By address: the source line, and the functions that the compiler put into one another there, innermost first."""
    asked = [address + offset for address in addresses for offset in NEIGHBOURS]
    if not asked:
        return {}
    command = ["addr2line", "--addresses", "--functions", "--inlines", "--exe", binary]
    shown = subprocess.run([*command, *map(hex, asked)], capture_output=True, text=True, check=True).stdout
    names = demangled(re.findall(r"^\$s\S+", shown, re.MULTILINE))
    found = {}
    for block in re.split(r"^(?=0x)", shown, flags=re.MULTILINE)[1:]:
        address, *frames = block.splitlines()
        found[int(address, 16)] = source(frames, names)
    return {address: nearest(found, address) for address in addresses}


def nearest(found, address):
    for offset in NEIGHBOURS:
        if place := found.get(address + offset):
            return f"near {place}" if offset else place
    return "no source line"


def source(frames, names):
    """What addr2line says of one address, in one line; None if it knows no line."""
    functions, lines = frames[::2], frames[1::2]
    if not lines or not re.search(r":[1-9]\d*( \(.*\))?$", lines[0]):
        return None
    within = " in ".join(names.get(name, name) for name in functions)
    return f"{re.sub('^.*/(?=Sources/)', '', lines[0])}: {within}"


def report(outcome, binary):
    """Says what was found."""
    if outcome.violations:
        places = sources(binary, sorted({one.address for one in outcome.violations if one.address is not None}))
        for one in outcome.violations:
            print(" → ".join((*one.chain, one.what)))
            if one.address is not None:
                print(f"    at {one.address:#x}, {places[one.address]}")
        sys.exit(f"the packet path is not clean: {len(outcome.violations)} violations")
    print(f"{len(HOT_FUNCTIONS)} hot functions lead to {outcome.functions} in all, and to the ends:")
    for name in sorted(outcome.cold):
        print(f"    {name}")
    print(f"system functions: {', '.join(sorted(outcome.system))}")
    print(f"atomic instructions: {', '.join(f'{name} {n}' for name, n in sorted(outcome.atomics.items())) or 'none'}")
    print("no allocation, no reference count and no copy on the packet path")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("binary", help="a release build of callrelay, with its symbols")
    binary = parser.parse_args().binary
    code = Disassembly(output_lines("objdump", "--disassemble", "--no-show-raw-insn", binary), function_symbols(binary))
    names = demangled(name for symbols in code.names.values() for name in symbols)
    rules = Rules(HOT_FUNCTIONS, COLD_FUNCTIONS, SYSTEM_FUNCTIONS, INDIRECT_CALLERS)
    report(Walk(code, rules, lambda symbol: names.get(symbol, symbol)).run(), binary)


if __name__ == "__main__":
    main()
