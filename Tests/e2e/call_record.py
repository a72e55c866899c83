"""What a page was told of a call, beside what the server has stored for it: the same, in order, each once.

The page's own WebSocket is listened to, as the page hears it: what comes after it gave a connection up does not count.
"""

import json
import sqlite3
import subprocess
from contextlib import closing, suppress
from dataclasses import dataclass

from running_server import RunningServer
from scenario import user_id
from waiting import eventually

# Keeps every frame that the page takes in, in this tab, over reloads; and what the page says of its connections and of
# the call's state, which a look now and then may miss.
RECORDER = """
  {
    const keep = (key, line) => sessionStorage.setItem(key, `${sessionStorage.getItem(key) ?? ""}${line}\\n`);
    const Real = WebSocket;
    window.WebSocket = class extends Real {
      constructor(...given) {
        super(...given);
        this.addEventListener("message", ({ data }) => {
          if (this.onmessage) keep("recorded-frames", data);
        });
      }
    };
    const keepText = (key, testId) => {
      const line = document.querySelector(`[data-testid="${testId}"]`);
      const observer = new MutationObserver(() => keep(key, line.textContent));
      observer.observe(line, { childList: true, characterData: true, subtree: true });
    };
    document.addEventListener("DOMContentLoaded", () => {
      keepText("recorded-notes", "connection-note");
      keepText("recorded-states", "call-state");
    });
  }
"""
READ_RECORD = """() => ({
  frames: sessionStorage.getItem("recorded-frames") ?? "",
  notes: sessionStorage.getItem("recorded-notes") ?? "",
  states: sessionStorage.getItem("recorded-states") ?? "",
})"""
# They tell sockets whom it rings for, again whenever one connects, and are no part of a session in the call.
RINGING = ["call-incoming"]

SIGNALS = ["webrtc-offer", "webrtc-answer", "ice-candidate"]


@dataclass(frozen=True)
class StoredEvent:
    """A row of `call_signals`."""

    seq: int
    event: str
    scope: str
    sender: str | None
    recipient: str | None
    payload: str

    def is_for(self, user: str, creator: str) -> bool:
        """Whether the user's socket in the call is to hear it, as docs/calls-and-signaling.md says."""
        if self.scope == "invited":
            return user != creator
        if self.scope == "joined":
            return user != self.sender and self.recipient in (None, user)
        return True


def stored_events(server: RunningServer, call_id: str) -> list[StoredEvent]:
    columns = "seq, event, scope, from_user, to_user, payload"
    url = server.settings["DATABASE_URL"]
    if url.startswith("postgres"):
        # The id is of letters that no SQL minds.
        query = f"SELECT json_build_array({columns}) FROM call_signals WHERE call_id = '{call_id}' ORDER BY seq"
        found = subprocess.run(["psql", url, "-AtXc", query], capture_output=True, text=True, timeout=30, check=True)
        return [StoredEvent(*json.loads(line)) for line in found.stdout.splitlines()]
    query = f"SELECT {columns} FROM call_signals WHERE call_id = ? ORDER BY seq"
    with closing(sqlite3.connect(f"file:{server.directory / 'callrelay.db'}?mode=ro", uri=True)) as database:
        return [StoredEvent(*row) for row in database.execute(query, (call_id,))]


def sessions(frames: str, call_id: str, beginnings: list[int]) -> list[tuple[int, list[tuple[str, dict]]]]:
    """For each fresh session of the page in the call: the number it began with, and what it was told since."""
    found: list[tuple[int, list[tuple[str, dict]]]] = []
    for frame in frames.splitlines():
        if frame.startswith("42"):
            event, data = json.loads(frame[2:])
            if found and data.get("callId") == call_id and "seq" in data and event not in RINGING:
                found[-1][1].append((event, data))
        elif frame.startswith("43"):
            answer = json.loads(frame[frame.index("[") :])[0]
            if "missed" in answer and answer["call"]["callId"] == call_id:
                if answer["call"]["seq"] in beginnings:
                    found.append((answer["call"]["seq"], []))
                found[-1][1].extend((entry["event"], entry["data"]) for entry in answer["missed"])
    return found


def kept_for(user: str, rows: list[StoredEvent], creator: str, began: int, is_first: bool) -> list[StoredEvent]:
    """The signals that a fresh session gets of the past: each peer's newest description, the candidates behind it."""
    past = [row for row in rows if row.seq < began and row.event in SIGNALS and row.is_for(user, creator)]
    newest = {row.sender: row for row in past if row.event != "ice-candidate"}

    def is_kept(row: StoredEvent) -> bool:
        description = newest.get(row.sender)
        if description is None:
            return is_first
        return row.seq >= description.seq and (is_first or description.event != "webrtc-answer")

    return [row for row in past if is_kept(row)]


class Listener:
    """Somebody on the call page, in whichever browser, with `RECORDER` running before it."""

    name: str

    def record(self) -> dict:
        """What `READ_RECORD` answers."""
        raise NotImplementedError

    def was(self, state: str) -> None:
        """The call came to this state, however shortly it stayed in it."""
        eventually(lambda: state in self.record()["states"].splitlines(), f"“{state}” in the page of {self.name}")

    def is_told(self, note: str) -> None:
        """Waits until the page has told of a trouble in these words, and that it is over."""
        eventually(
            lambda: self._told(note, self.record()["notes"].splitlines()), f"“{note}” in the page of {self.name}"
        )

    def said(self, *notes: str) -> None:
        """The page told of a trouble in these words, and then that it is over."""
        said = self.record()["notes"].splitlines()
        for note in notes:
            assert self._told(note, said), f"{self.name} was told {said}"

    def said_one_of(self, *notes: str) -> None:
        """The page told of the trouble in one of these ways, and then that it is over."""
        said = self.record()["notes"].splitlines()
        assert any(self._told(note, said) for note in notes), f"{self.name} was told {said}"

    @staticmethod
    def _told(note: str, said: list[str]) -> bool:
        return note in said and "The connection is back." in said[said.index(note) :]


def assert_heard_what_is_stored(server: RunningServer, call_id: str, creator: Listener, *people: Listener) -> None:
    """Every session of everybody heard what the store has for it, in order, once; the last one, all of it."""
    for person in people:
        difference = ["not compared"]

        def agrees(person: Listener = person) -> bool:
            difference[0] = _difference(server, call_id, user_id(creator.name), person)
            return not difference[0]

        with suppress(AssertionError):
            eventually(agrees, seconds=10)
        assert not difference[0], f"{person.name}: {difference[0]}"


def _difference(server: RunningServer, call_id: str, creator: str, person: Listener) -> str:
    user, frames, rows = user_id(person.name), person.record()["frames"], stored_events(server, call_id)
    beginnings = [row.seq for row in rows if row.event == "user-joined" and row.sender == user]
    heard_by_session = sessions(frames, call_id, beginnings)
    if not heard_by_session:
        return "was never in the call"
    for index, (began, heard) in enumerate(heard_by_session):
        kept = kept_for(user, rows, creator, began, is_first=began == beginnings[0])
        live = [row for row in rows if row.seq > began and row.is_for(user, creator) and row.event not in RINGING]
        expected = [(row.event, json.loads(row.payload)) for row in kept + live]
        is_last = index == len(heard_by_session) - 1
        if heard != (expected if is_last else expected[: len(heard)]):
            told = [(data["seq"], event) for event, data in heard]
            stored = [(data["seq"], event) for event, data in expected]
            return f"the session that began with {began} heard {told}, stored is {stored}"
    return ""
