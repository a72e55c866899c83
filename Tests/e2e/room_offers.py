"""Offers as callers make them and as callees take them: by Chromium, and by aiortc, which is written from the RFCs."""

import asyncio
import ipaddress
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.sdp import SessionDescription
from playwright.sync_api import Page

# What a browser may find in other networks: each kind of candidate (RFC 8839 §5.1), each form of address.
FURTHER_CANDIDATES = (
    "a=candidate:1 1 udp 1686052607 203.0.113.77 40001 typ srflx raddr 10.20.30.40 rport 50001 generation 0",
    "a=candidate:2 1 udp 2122262783 2001:db8:7:7::42 50002 typ host generation 0 network-id 2",
    "a=candidate:3 1 udp 2122260223 6b1f8a7e-5d0e-4b58-9b0a-9d9f0c0a1234.local 50003 typ host generation 0",
    "a=candidate:4 1 tcp 1518280447 10.20.30.40 9 typ host tcptype active generation 0",
    "a=candidate:5 1 udp 1677729535 203.0.113.78 40005 typ prflx raddr 10.20.30.40 rport 50005 generation 0",
    "a=candidate:6 1 udp 41820671 198.51.100.9 49777 typ relay raddr 203.0.113.77 rport 40001 generation 0",
)

MAKE = """async ({ iceServers, isVideo }) => {
  const media = await navigator.mediaDevices.getUserMedia({ audio: true, video: isVideo });
  const peer = new RTCPeerConnection({ iceServers });
  for (const track of media.getTracks()) peer.addTrack(track, media);
  const isRelayed = new Promise((done) => {
    peer.addEventListener("icecandidate", ({ candidate }) => candidate?.type === "relay" && done());
  });
  await peer.setLocalDescription(await peer.createOffer());
  await isRelayed;
  const { sdp } = peer.localDescription;
  peer.close();
  for (const track of media.getTracks()) track.stop();
  return { sdp, stream: media.id };
}"""

TAKE = """async (sdp) => {
  const peer = new RTCPeerConnection();
  const tracks = [];
  peer.ontrack = ({ track, streams }) => {
    tracks.push({ kind: track.kind, streams: streams.map((stream) => stream.id) });
  };
  await peer.setRemoteDescription({ type: "offer", sdp });
  const answer = await peer.createAnswer();
  await peer.setLocalDescription(answer);
  peer.close();
  return { tracks, answer: answer.sdp };
}"""


@dataclass(frozen=True)
class Offer:
    """An offer with all that its media could be found by."""

    sdp: str
    stream: str

    @property
    def description(self) -> dict:
        return {"type": "offer", "sdp": self.sdp}

    @property
    def _candidates(self) -> list[list[str]]:
        return [line.split() for line in self.sdp.splitlines() if line.startswith("a=candidate:")]

    @property
    def kinds(self) -> set[str]:
        return {words[words.index("typ") + 1] for words in self._candidates}

    @property
    def addresses(self) -> set[str]:
        """Of the candidates and of what they were found from."""
        beside = {words[words.index("raddr") + 1] for words in self._candidates if "raddr" in words}
        unspecified = {"0.0.0.0", "::"}
        return ({words[4] for words in self._candidates} | beside) - unspecified

    def value(self, name: str) -> str:
        """The first attribute of this name."""
        return next(line for line in self.sdp.splitlines() if line.startswith(f"a={name}:")).partition(":")[2]


def make_offer(page: Page, ice_servers: list[dict], is_video: bool) -> Offer:
    """The browser's own, for a microphone and perhaps a camera, with the further candidates in each of its media."""
    made = page.evaluate(MAKE, {"iceServers": ice_servers, "isVideo": is_video})
    head, *media = re.split(r"(?=^m=)", made["sdp"], flags=re.MULTILINE)
    further = "".join(f"{line}\r\n" for line in FURTHER_CANDIDATES)
    return Offer(head + "".join(section + further for section in media), made["stream"])


@dataclass
class Taken:
    """What came of an offer: the streams of each track, by its kind, and the answer."""

    answer: str
    streams: dict[str, list[str]] = field(default_factory=dict)


def take_in_chromium(page: Page, sdp: str) -> Taken:
    taken = page.evaluate(TAKE, sdp)
    return Taken(taken["answer"], {track["kind"]: track["streams"] for track in taken["tracks"]})


def take_in_aiortc(sdp: str) -> Taken:
    async def take() -> Taken:
        peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        kinds: list[str] = []
        peer.on("track", lambda track: kinds.append(track.kind))
        try:
            await peer.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
            answer = await peer.createAnswer()
        finally:
            await peer.close()
        # It has tracks and no streams, but reads which they are named by.
        named = {media.kind: media.msid.split()[:1] for media in SessionDescription.parse(sdp).media}
        return Taken(answer.sdp, {kind: named[kind] for kind in kinds})

    # Playwright's event loop is in this thread.
    with ThreadPoolExecutor(1) as other_thread:
        return other_thread.submit(asyncio.run, take()).result(60)


def addresses_in(sdp: str) -> set[str]:
    """All that reads as an IP address, wherever it stands."""
    found = set()
    for line in sdp.splitlines():
        # Pairs of digits with colons between, as those of the IPv6 that it is not.
        words = line.partition(" ")[0] if line.startswith("a=fingerprint:") else line
        for word in re.findall(r"[0-9A-Fa-f.:]{3,}", words):
            try:
                found.add(str(ipaddress.ip_address(word.strip("."))))
            except ValueError:
                continue
    return found
