"""A client of the homeserver that knows nothing of callrelay, and an API client beside it: each with a peer connection of Chromium.

The stock client does what the JavaScript and the Dart SDK do with `m.call.*`: rings if it is the invitee, answers in the room,
takes what comes after that from the inviting user and party alone, and batches its candidates.
"""

import secrets
from dataclasses import dataclass, field

from playwright.sync_api import Page

from homeserver import CLIENT, Account
from signaling_client import SignalingClient

PEERS = """
window.peers = {};
window.media = async (video) => navigator.mediaDevices.getUserMedia({audio: true, video});
window.makePeer = async (name, iceServers, policy, video) => {
  const connection = new RTCPeerConnection({iceServers, iceTransportPolicy: policy});
  const peer = {connection, found: [], troubles: []};
  connection.onicecandidate = ({candidate}) => peer.found.push(candidate ? candidate.toJSON() : {candidate: ""});
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
    """One device of an account: `ring` and then `answer`, or `call` … and between them `pump`."""

    account: Account
    page: Page
    room: str
    video: bool = False
    party_id: str = field(default_factory=lambda: secrets.token_hex(8))
    since: str | None = None
    call_id: str | None = None
    other: tuple[str, str] | None = None
    heard: list[dict] = field(default_factory=list)
    invite: dict | None = None
    is_talking: bool = False
    is_calling: bool = False
    end_reason: str | None = None

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
        return self.account.send(self.room, f"m.call.{kind}", content)

    def sync(self) -> None:
        """What is new in the room, handled as it comes."""
        after = f"&since={self.since}" if self.since else ""
        answer = self.account.request("GET", f"{CLIENT}/sync?timeout=0{after}")
        is_first, self.since = self.since is None, answer["next_batch"]
        room = answer.get("rooms", {}).get("join", {}).get(self.room, {})
        for event in room.get("timeline", {}).get("events", []):
            if not is_first and event["type"].startswith("m.call.") and event["sender"] != self.account.user_id:
                self.hear(event)

    def hear(self, event: dict) -> None:
        kind, content = event["type"].removeprefix("m.call."), event["content"]
        self.heard.append(event)
        if kind == "invite" and content.get("invitee") == self.account.user_id:
            self.invite, self.call_id = event, content["call_id"]
            self.other = (event["sender"], content["party_id"])
            return
        if content.get("call_id") != self.call_id:
            return
        if kind == "answer" and self.is_calling and self.other is None:
            # The first who answers has it.
            self.other = (event["sender"], content["party_id"])
            self.page.evaluate("([n, d]) => take(n, d)", [self.name, content["answer"]])
            self.send("select_answer", selected_party_id=content["party_id"])
            return
        if kind == "reject" and self.is_calling and self.other is None:
            self.end_reason = "rejected"
            return
        # The SDKs bind a call to the user and the party that it came from.
        if (event["sender"], content["party_id"]) != self.other:
            return
        match kind:
            case "select_answer" if content["selected_party_id"] != self.party_id:
                self.end_reason = "answered elsewhere"
            case "hangup" | "reject":
                self.end_reason = content.get("reason", kind)
            case "negotiate" if self.is_talking:
                answer = self.page.evaluate("([n, d]) => take(n, d)", [self.name, content["description"]])
                if answer:
                    self.send("negotiate", description=answer, lifetime=60000)
            case "candidates" if self.is_talking:
                for candidate in content["candidates"]:
                    self.page.evaluate("([n, c]) => candidate(n, c)", [self.name, candidate])

    def ice_servers(self) -> list[dict]:
        given = self.account.turn_server()
        return [{"urls": given["uris"], "username": given["username"], "credential": given["password"]}]

    def answer(self) -> None:
        """Takes the call that rings."""
        content = self.invite["content"]
        ice = self.ice_servers()
        self.page.evaluate("([n, i, v]) => makePeer(n, i, 'relay', v)", [self.name, ice, self.video])
        answer = self.page.evaluate("([n, d]) => take(n, d)", [self.name, content["offer"]])
        self.is_talking = True
        self.send("answer", answer=answer)

    def call(self, invitee: str | None = None, **content: object) -> str:
        """Calls in the room; without an invitee, as older FluffyChats do."""
        self.sync()
        self.call_id = content.pop("call_id", f"{secrets.randbelow(10**13):013}{secrets.token_hex(8)}")
        self.page.evaluate(
            "([n, i, v]) => makePeer(n, i, 'relay', v)", [self.name, self.ice_servers(), self.video]
        )
        offer = self.page.evaluate("n => offer(n)", self.name)
        self.is_talking = self.is_calling = True
        named = {"invitee": invitee} if invitee else {}
        self.send("invite", **{"offer": offer, "lifetime": 60000, **named, **content})
        return self.call_id

    def pump(self) -> None:
        self.sync()
        if found := self.page.evaluate("n => found(n)", self.name):
            self.send("candidates", candidates=found)

    def stats(self) -> dict:
        return self.page.evaluate("n => stats(n)", self.name)


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

