"""Whether sound and pictures go on in a call, by the browsers' own counters."""

import time
from collections.abc import Callable
from typing import Protocol

WINDOW_SECONDS = 2.5
# How long a window may become on a machine that has other work to do.
PATIENCE_SECONDS = 20

# What a peer connection has received, and by which kinds of candidates. Chromium names the pair in use by its transport,
# Firefox by the pair itself.
READ_MEDIA = """async (connection) => {
  const stats = [...(await connection.getStats()).values()];
  const byId = Object.fromEntries(stats.map((stat) => [stat.id, stat]));
  const transport = stats.find((stat) => stat.type === "transport");
  const pair =
    byId[transport?.selectedCandidatePairId] ?? stats.find((stat) => stat.type === "candidate-pair" && stat.selected);
  const inbound = (kind) => stats.find((stat) => stat.type === "inbound-rtp" && stat.kind === kind);
  const address = (candidate) => (candidate?.address ? `${candidate.address} ${candidate.port}` : null);
  return {
    localType: byId[pair?.localCandidateId]?.candidateType,
    remoteType: byId[pair?.remoteCandidateId]?.candidateType,
    localAddress: address(byId[pair?.localCandidateId]),
    remoteAddress: address(byId[pair?.remoteCandidateId]),
    framesDecoded: inbound("video")?.framesDecoded ?? 0,
    audioPackets: inbound("audio")?.packetsReceived ?? 0,
    audioEnergy: inbound("audio")?.totalAudioEnergy ?? 0,
    audioSamples: inbound("audio")?.totalSamplesReceived ?? 0,
  };
}"""
# The same of the page's one peer connection.
MEDIA = f"() => ({READ_MEDIA})([...window.callrelay.session.call.peers.values()][0].connection)"


class Participant(Protocol):
    """Somebody in a call, in whichever browser."""

    name: str

    def media(self) -> dict:
        """Counters of what was received so far."""


def assert_pair(person: Participant, local: set[str], remote: set[str]) -> None:
    """The pair in use is, or soon becomes, one of such candidates: a check may overtake the signal that tells whose it is,
    and another pair may serve for a moment."""
    _soon([person], lambda media: media["localType"] in local and media["remoteType"] in remote)


def assert_relayed_both_ways(one: Participant, other: Participant) -> None:
    """Each sends from its own relayed address, or soon does, to the other's."""
    _soon([one, other], lambda mine, theirs: _is_relayed(mine, theirs) and _is_relayed(theirs, mine))


def _is_relayed(here: dict, there: dict) -> bool:
    """From the relay to the relay. Where a check overtook the signal that tells whose it is, Firefox goes on to call the
    other's relayed address "prflx": there the address itself decides."""
    is_to_relay = here["remoteType"] == "relay" or (
        here["remoteAddress"] is not None and here["remoteAddress"] == there["localAddress"]
    )
    return here["localType"] == "relay" and is_to_relay


def _soon(people: list[Participant], holds: Callable[..., bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        media = [person.media() for person in people]
        if holds(*media):
            return
        assert time.monotonic() < deadline, {person.name: now for person, now in zip(people, media, strict=True)}
        time.sleep(0.2)


def assert_media_flows(*people: Participant, has_video: bool, windows: int = 4) -> None:
    """In every window everybody sees new frames and hears new sound."""
    counters = ["audioPackets", "audioSamples", *(["framesDecoded"] if has_video else [])]
    first = latest = [person.media() for person in people]
    for _ in range(windows):
        time.sleep(WINDOW_SECONDS)
        latest = [_later(person, earlier, counters) for person, earlier in zip(people, latest, strict=True)]
    # The fake microphones make a sound: silence, or what is played while nothing comes, leaves the energy as it was.
    for person, earlier in zip(people, first, strict=True):
        _later(person, earlier, ["audioEnergy"])


def _later(person: Participant, earlier: dict, counters: list[str]) -> dict:
    """What is counted when all of these have moved on."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        later = person.media()
        still = [counter for counter in counters if later[counter] <= earlier[counter]]
        if not still:
            return later
        assert time.monotonic() < deadline, f"{person.name} receives nothing new: {still} stand still"
        time.sleep(0.5)
