"""The calls that the functions of a binary make, read from what `objdump -d --no-show-raw-insn` prints."""

import re
from bisect import bisect_left, bisect_right
from collections import deque
from dataclasses import dataclass

HEADER = re.compile(r"([0-9a-f]+) <(.+)>:$")
# Instructions that may leave a function, or that are themselves what a call might be. Everything else is skipped.
EVENT = re.compile(
    r" *([0-9a-f]+):\t(?:(?:notrack|bnd|data16|cs|ds|addr32|rex\S*) +)*"
    r"((?:call|j|lock |rep\S* +(?:movs|stos)|syscall|sysenter|int ).*)"
)
TARGET = re.compile(r"\s(?:0x)?([0-9a-f]+) <(.+?)(?:\+0x[0-9a-f]+)?>$")
REGISTER_JUMP = re.compile(r"jmp +\*%(\w+)$")
TABLE_LOAD = re.compile(r"movslq +.*\(%\w+,%\w+,4\),%(\w+)$")
BYTE_COUNT = re.compile(r"\tmov +\$0x([0-9a-f]+),%[er]dx$")
SIZED = re.compile(r"mem(cpy|move|set)")
# What makes an earlier constant in the third argument's register another's.
OVERWRITES = re.compile(r"\t(call|ret|jmp)|,%([er]dx|dx|dl)$")
# How far before an instruction its operands are looked for.
LOOK_BACK = 8


@dataclass(frozen=True)
class Event:
    """A call or jump to `target`, or (where that is None) an instruction that has none that can be told."""

    address: int
    text: str
    target: int | None = None
    # The third argument of a call that copies, if it is a constant set just before.
    byte_count: int | None = None

    @property
    def is_indirect(self):
        return self.target is None and "*" in self.text

    @property
    def is_atomic(self):
        return self.text.startswith("lock ")


class Disassembly:
    """Functions by address. `symbols` are (address, size, name), a name for each of a function's aliases.

    Not every function has a symbol: private ones lie behind the end of another's, and are known by the calls to them.
    """

    def __init__(self, lines, symbols=()):
        self.names, self._sizes = {}, {}
        for address, size, name in symbols:
            self.names.setdefault(address, []).append(name)
            self._sizes[address] = max(size, self._sizes.get(address, 0))
        self._events, starts, self._called = [], set(self.names), set()
        self._read(lines, starts)
        self._symbols = sorted(starts)
        self._starts = sorted(starts | self._called)
        self._addresses = [event.address for event in self._events]

    def _read(self, lines, starts):
        recent, inside = deque(maxlen=LOOK_BACK), range(0)
        for line in lines:
            if found := EVENT.match(line):
                if event := self._event(int(found[1], 16), found[2].rstrip(), recent, inside):
                    self._events.append(event)
            elif found := HEADER.match(line):
                start = int(found[1], 16)
                starts.add(start)
                if found[2] not in self.names.setdefault(start, []):
                    self.names[start].append(found[2])
                inside = range(start, start + self._sizes.get(start, 0))
                recent.clear()
            recent.append(line)

    def _event(self, address, text, recent, inside):
        if "*" in text:
            return None if is_switch(text, recent) else Event(address, text)
        # Other instructions show the data that they touch in the same way.
        if not text.startswith(("call", "j")) or not (found := TARGET.search(text)):
            return Event(address, text)
        target = int(found[1], 16)
        if text.startswith("call"):
            self._called.add(target)
        elif address in inside and target in inside:
            return None
        return Event(address, text, target, byte_count(recent) if SIZED.search(found[2]) else None)

    def end(self, start):
        """Behind the last instruction of the function at `start`, or of what is left of the function that it is in."""
        symbol = self._symbols[max(bisect_right(self._symbols, start) - 1, 0)]
        if start < (end := symbol + self._sizes.get(symbol, 0)):
            return end
        following = bisect_right(self._starts, start)
        return self._starts[following] if following < len(self._starts) else start + (1 << 32)

    def events(self, start):
        """What leaves the function at `start`, and what it does itself that a call might do."""
        end = self.end(start)
        for event in self._events[bisect_left(self._addresses, start) : bisect_left(self._addresses, end)]:
            # A jump within the function, which the reader could not tell as such where the function has no size.
            if event.text.startswith("call") or event.target is None or not start <= event.target < end:
                yield event

    def named(self, start):
        """The names of the function at `start`; if it has none, the one it lies behind."""
        if start in self.names:
            return self.names[start]
        symbol = self._symbols[max(bisect_right(self._symbols, start) - 1, 0)]
        return [f"{self.names[symbol][0]}+{start - symbol:#x}"]


def is_switch(text, recent):
    """Whether a jump goes by a table of places in the function that it stands in."""
    jump = REGISTER_JUMP.match(text)
    if not jump:
        return False
    lines = [line.rstrip() for line in recent]
    loads = any((found := TABLE_LOAD.search(line)) and found[1] == jump[1] for line in lines)
    return loads and any(re.search(rf"\tadd +%\w+,%{jump[1]}$", line) for line in lines)


def byte_count(recent):
    for line in map(str.rstrip, reversed(recent)):
        if found := BYTE_COUNT.search(line):
            return int(found[1], 16)
        if OVERWRITES.search(line):
            return None
    return None
