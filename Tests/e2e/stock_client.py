"""A client of the homeserver that knows nothing of callrelay, and an API client beside it: each with a peer connection of Chromium.

The stock client does what the JavaScript and the Dart SDK do with `m.call.*`: rings if it is the invitee, answers in the room,
takes what comes after that from the inviting user and party alone, and batches its candidates. Of two calls at the same time
it keeps the one with the lesser id. What it hears and says in the room it does by matrix-nio.
"""

import re
import secrets
from dataclasses import dataclass, field

from nio import BadEvent
from playwright.sync_api import Page

from media_flow import READ_MEDIA
from nio_client import Device
from signaling_client import SignalingClient

# The one that the SDKs send; they read the stable one as well.
STREAMS = "org.matrix.msc3077.sdp_stream_metadata"

PEERS = """
window.peers = {};
window.media = async (video) => navigator.mediaDevices.getUserMedia({audio: true, video});
window.makePeer = async (name, iceServers, policy, video) => {
  const connection = new RTCPeerConnection({iceServers, iceTransportPolicy: policy});
  const peer = {connection, found: [], troubles: []};
  connection.onicecandidate = ({candidate}) => peer.found.push(candidate ? candidate.toJSON() : {candidate: ""});
  // Streams are what the SDKs play; what is in none is neither heard nor seen.
  connection.ontrack = ({streams: [stream]}) => {
    peer.screen ??= Object.assign(document.createElement("video"), {autoplay: true});
    peer.screen.srcObject = stream;
  };
  const stream = await media(video);
  for (const track of stream.getTracks()) connection.addTrack(track, stream);
  peers[name]?.connection.close();
  peers[name] = peer;
};
window.offer = async (name) => {
  const {connection} = peers[name];
  await connection.setLocalDescription();
  return {type: "offer", sdp: connection.localDescription.sdp};
};
window.take = async (name, description) => {
  const {connection} = peers[name];
  await connection.setRemoteDescription(description);
  if (description.type !== "offer") return null;
  await connection.setLocalDescription();
  return {type: "answer", sdp: connection.localDescription.sdp};
};
window.restart = (name, iceServers) => {
  const {connection} = peers[name];
  connection.setConfiguration({...connection.getConfiguration(), iceServers});
  connection.restartIce();
};
window.found = (name) => peers[name]?.found.splice(0) ?? [];
window.candidate = async (name, candidate) => {
  // An older offer's candidates are nobody's any more; that is what SDKs log and pass over.
  try { await peers[name].connection.addIceCandidate(candidate); } catch (error) { peers[name].troubles.push(`${error}`); }
};
window.mute = (name, isMuted) => {
  const {connection} = peers[name];
  for (const {track} of connection.getSenders()) if (track?.kind === "audio") track.enabled = !isMuted;
  return connection.localDescription;
};
window.hangUp = (name) => {
  peers[name]?.connection.close();
  delete peers[name];
};
window.stats = async (name) => {
  const stats = [...(await peers[name].connection.getStats()).values()];
  const byId = Object.fromEntries(stats.map((stat) => [stat.id, stat]));
  const transport = stats.find((stat) => stat.type === "transport");
  const pair = byId[transport?.selectedCandidatePairId];
  const inbound = (kind) => stats.find((stat) => stat.type === "inbound-rtp" && stat.kind === kind)?.packetsReceived ?? 0;
  return {
    state: peers[name].connection.connectionState, audio: inbound("audio"), video: inbound("video"),
    local: byId[pair?.localCandidateId]?.candidateType, remote: byId[pair?.remoteCandidateId]?.candidateType,
  };
};
"""


@dataclass
class StockClient:
    """One device of an account: it rings and is to `answer`, or is to `call` … and between them to `pump`."""

    device: Device
    page: Page
    room: str
    video: bool = False
    party_id: str = field(default_factory=lambda: secrets.token_hex(8))
    call_id: str | None = None
    other: tuple[str, str] | None = None
    # What others said of calls in the room, and what of it the library takes for no event of its type.
    heard: list[dict] = field(default_factory=list)
    bad: list[dict] = field(default_factory=list)
    invite: dict | None = None
    is_talking: bool = False
    is_calling: bool = False
    end_reason: str | None = None
    # What the other one says of their streams.
    streams: dict = field(default_factory=dict)
    # What the homeserver gave for the relay.
    turn: dict = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.party_id

    @property
    def mutes(self) -> list[dict]:
        """Heard from the other side."""
        return [event for event in self.heard if event["type"] == "m.call.sdp_stream_metadata_changed"]

    @property
    def negotiations(self) -> list[dict]:
        return [event for event in self.heard if event["type"] == "m.call.negotiate"]

    def send(self, kind: str, **content: object) -> str:
        content = {"version": "1", "call_id": self.call_id, "party_id": self.party_id, **content}
        return self.device.send(self.room, f"m.call.{kind}", content)

    def sync(self) -> None:
        """What is new in the room, handled as it comes; at first it only begins to listen."""
        if not self.device.is_listening:
            self.device.listen()
        for event in self.device.news(self.room):
            said = event.source
            if said["type"].startswith("m.call.") and said["sender"] != self.device.user_id:
                if isinstance(event, BadEvent):
                    self.bad.append(said)
                self.hear(said)

    def hear(self, event: dict) -> None:
        kind, content = event["type"].removeprefix("m.call."), event["content"]
        self.heard.append(event)
        if kind == "invite":
            if content.get("invitee") in (None, self.device.user_id):
                self._ring(event)
            return
        if content.get("call_id") != self.call_id:
            return
        if kind == "answer" and self.is_calling and self.other is None:
            # The first who answers has it.
            self.other = (event["sender"], content["party_id"])
            self.streams = content.get(STREAMS, {})
            self._take(content["answer"])
            self.send("select_answer", selected_party_id=content["party_id"])
            return
        if kind == "reject" and self.is_calling and self.other is None:
            self._end("rejected")
            return
        # The SDKs bind a call to the user and the party that it came from.
        if (event["sender"], content["party_id"]) != self.other:
            return
        match kind:
            case "select_answer" if content["selected_party_id"] != self.party_id:
                self._end("answered elsewhere")
            case "hangup" | "reject":
                self._end(content.get("reason", kind))
            case "negotiate" if self.is_talking:
                self.streams = content.get(STREAMS, self.streams)
                if answer := self._take(content["description"]):
                    self.send("negotiate", description=answer, lifetime=60000, **self._own_streams(answer))
            case "candidates" if self.is_talking:
                for candidate in content["candidates"]:
                    self.page.evaluate("([n, c]) => candidate(n, c)", [self.name, candidate])
            case "sdp_stream_metadata_changed":
                self.streams = content[STREAMS]

    def _ring(self, event: dict) -> None:
        content = event["content"]
        is_glare = self.is_calling and self.other is None and self.end_reason is None
        if self.is_talking and not (is_glare and content["call_id"] < self.call_id):
            # The greater of two calls at the same time, or one of somebody while another one goes on: nothing is said.
            return
        self.invite, self.call_id = event, content["call_id"]
        self.other = (event["sender"], content["party_id"])
        self.streams = content.get(STREAMS, {})
        if is_glare:
            # Its own call is given up without a word, and the other's is picked up: both wanted the same.
            self.is_calling = False
            self.answer()

    def _take(self, description: dict) -> dict | None:
        return self.page.evaluate("([n, d]) => take(n, d)", [self.name, description])

    def _end(self, reason: str) -> None:
        self.end_reason = reason
        self.is_talking = False
        self.page.evaluate("n => hangUp(n)", self.name)

    def _make_peer(self) -> None:
        self.turn = self.device.turn_server()
        ice = [{"urls": self.turn["uris"], "username": self.turn["username"], "credential": self.turn["password"]}]
        self.page.evaluate("([n, i, v]) => makePeer(n, i, 'relay', v)", [self.name, ice, self.video])
        self.is_talking = True

    def _own_streams(self, description: dict, audio_muted: bool = False) -> dict:
        """What the description's streams are, by the ids that it has for them."""
        ids = set(re.findall(r"^a=msid:(\S+) ", description["sdp"], re.MULTILINE))
        told = {"purpose": "m.usermedia", "audio_muted": audio_muted, "video_muted": not self.video}
        return {STREAMS: dict.fromkeys(ids, told)}

    # What its user does.

    def answer(self) -> None:
        """Takes the call that rings."""
        self._make_peer()
        answer = self._take(self.invite["content"]["offer"])
        self.send("answer", answer=answer, **self._own_streams(answer))

    def call(self, invitee: str | None = None, **content: object) -> str:
        """Calls in the room; without an invitee, as older FluffyChats do."""
        if not self.device.is_listening:
            self.device.listen()
        self.call_id = content.pop("call_id", f"{secrets.randbelow(10**13):013}{secrets.token_hex(8)}")
        self._make_peer()
        self.is_calling = True
        offer = self.page.evaluate("n => offer(n)", self.name)
        named = {"invitee": invitee} if invitee else {}
        self.send("invite", **{"offer": offer, "lifetime": 60000, **self._own_streams(offer), **named, **content})
        return self.call_id

    def mute(self, is_muted: bool) -> None:
        """Its microphone."""
        description = self.page.evaluate("([n, m]) => mute(n, m)", [self.name, is_muted])
        self.send("sdp_stream_metadata_changed", **self._own_streams(description, is_muted))

    def hang_up(self) -> None:
        self.send("hangup", reason="user_hangup")
        self._end("hung up")

    def pump(self) -> None:
        self.sync()
        if self.is_talking and (found := self.page.evaluate("n => found(n)", self.name)):
            self.send("candidates", candidates=found)

    def stats(self) -> dict:
        return self.page.evaluate("n => stats(n)", self.name)

    def media(self) -> dict:
        return self.page.evaluate(f"n => ({READ_MEDIA})(peers[n].connection)", self.name)


@dataclass
class APIClient:
    """A client of the API as the call page is one, with candidates by the relay alone."""

    socket: SignalingClient
    page: Page
    call_id: str
    ice: dict
    video: bool = False
    name: str = field(default_factory=lambda: secrets.token_hex(8))
    has_peer: bool = False
    toggles: list[dict] = field(default_factory=list)
    ended: dict | None = None
    last: int = 0

    def resume(self, socket: SignalingClient) -> None:
        """Goes on by another socket where it stopped; what it missed meanwhile it hears first."""
        self.socket = socket
        joined = socket.call("join-call", {"callId": self.call_id, "afterSeq": self.last})
        assert joined["ok"], joined
        self.ice = joined
        socket.received[:0] = [(missed["event"], missed["data"]) for missed in joined["missed"]]

    def restart_ice(self) -> None:
        """Looks for other paths, with the servers that the last join named."""
        self.page.evaluate("([n, i]) => restart(n, i)", [self.name, self.ice["iceServers"]])
        self._offer()

    def _offer(self) -> None:
        offer = self.page.evaluate("n => offer(n)", self.name)
        assert self.socket.call("webrtc-offer", {"callId": self.call_id, "offer": offer})["ok"]

    def make(self) -> None:
        servers = self.ice["iceServers"]
        self.page.evaluate("([n, i, v]) => makePeer(n, i, 'relay', v)", [self.name, servers, self.video])
        self.has_peer = True

    def pump(self) -> None:
        while self.socket.received:
            event, payload = self.socket.received.pop(0)
            # The socket hears of all calls of its user.
            if payload.get("callId") != self.call_id:
                continue
            self.last = max(self.last, payload.get("seq", 0))
            match event:
                case "user-joined":
                    self.make()
                    self._offer()
                case "webrtc-offer":
                    if not self.has_peer:
                        self.make()
                    answer = self.page.evaluate("([n, d]) => take(n, d)", [self.name, payload["offer"]])
                    assert self.socket.call("webrtc-answer", {"callId": self.call_id, "answer": answer})["ok"]
                case "webrtc-answer":
                    if self.has_peer:
                        self.page.evaluate("([n, d]) => take(n, d)", [self.name, payload["answer"]])
                case "ice-candidate":
                    if self.has_peer:
                        self.page.evaluate("([n, c]) => candidate(n, c)", [self.name, payload["candidate"]])
                case "audio-toggled" | "video-toggled":
                    self.toggles.append({"event": event, **payload})
                case "call-ended":
                    self.ended = payload
        if self.has_peer:
            for candidate in self.page.evaluate("n => found(n)", self.name):
                answer = self.socket.call("ice-candidate", {"callId": self.call_id, "candidate": candidate})
                # The other side may have hung up meanwhile.
                assert answer["ok"] or answer["code"] == "call_ended", answer

    def stats(self) -> dict:
        return self.page.evaluate("n => stats(n)", self.name)

