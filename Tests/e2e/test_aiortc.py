"""aioice and aiortc, which are written from the RFCs in Python, through our relay and nothing else."""

import asyncio
import fractions
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import aioice
import pytest
from aiortc import (
    RTCConfiguration,
    RTCDataChannel,
    RTCIceServer,
    RTCIceTransportPolicy,
    RTCPeerConnection,
)
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack
from av import VideoFrame

from running_server import RunningServer
from turn_client import time_limited_credential
from waiting import eventually

WAIT_SECONDS = 30
MESSAGES = 200
FRAMES = 30


@asynccontextmanager
async def ice_pair(server: RunningServer, *hosts: str) -> AsyncIterator[list[aioice.Connection]]:
    """Two connected ICE agents that offer relayed candidates alone; each reaches the relay by the address named."""
    agents = []
    for number, host in enumerate(hosts):
        username, password = time_limited_credential(server.turn_secret, f"aioice-{number}")
        agents.append(
            aioice.Connection(
                ice_controlling=number == 0,
                turn_server=(host, server.turn_port),
                turn_username=username,
                turn_password=password,
                transport_policy=aioice.TransportPolicy.RELAY,
            )
        )
    a, b = agents
    async with AsyncExitStack() as stack:
        for agent in agents:
            stack.push_async_callback(agent.close)
            await agent.gather_candidates()
            assert [candidate.type for candidate in agent.local_candidates] == ["relay"], "only what the relay gave"
        for one, other in ((a, b), (b, a)):
            for candidate in one.local_candidates:
                await other.add_remote_candidate(candidate)
            await other.add_remote_candidate(None)
            other.remote_username, other.remote_password = one.local_username, one.local_password
        await asyncio.wait_for(asyncio.gather(a.connect(), b.connect()), WAIT_SECONDS)
        yield agents


@pytest.mark.parametrize("hosts", [("127.0.0.1", "127.0.0.1"), ("::1", "127.0.0.1"), ("::1", "::1")])
def test_aioice_between_two_relays(server: RunningServer, hosts: tuple[str, str]) -> None:
    """A client that comes by IPv6 and asks for no family gets an IPv4 relay, so both can always meet."""

    async def run() -> None:
        async with ice_pair(server, *hosts) as (a, b):
            # No faster than an agent of one thread can follow: what is lost here would be lost in its own socket.
            for number in range(MESSAGES):
                payload = number.to_bytes(2) * (1 + number * 3 % 600)
                await a.send(payload)
                assert await asyncio.wait_for(b.recv(), WAIT_SECONDS) == payload
                await b.send(payload[::-1])
                assert await asyncio.wait_for(a.recv(), WAIT_SECONDS) == payload[::-1]

    asyncio.run(run())


class Picture(VideoStreamTrack):
    """A picture whose brightness goes up frame by frame, at the pace of a camera."""

    count = 0

    async def recv(self) -> VideoFrame:
        pts, time_base = await self.next_timestamp()
        frame = VideoFrame(width=320, height=240, format="yuv420p")
        for plane in frame.planes:
            plane.update(bytes([self.count * 5 % 256]) * plane.buffer_size)
        self.count += 1
        frame.pts, frame.time_base = pts, fractions.Fraction(time_base)
        return frame


def relay_only(server: RunningServer, user: str) -> RTCPeerConnection:
    """A peer connection with what the server tells its clients, and no way but the relay."""
    ice = server.request("GET", "/api/calls/ice-servers", user).json()
    servers = [
        # Its parser knows no address in brackets (RFC 7064, 7065); browsers are given them in tests of their own.
        RTCIceServer(**{**entry, "urls": [url for url in entry["urls"] if "[" not in url]})
        for entry in ice["iceServers"]
    ]
    configuration = RTCConfiguration(iceServers=servers, iceTransportPolicy=RTCIceTransportPolicy.RELAY)
    return RTCPeerConnection(configuration)


async def negotiate(a: RTCPeerConnection, b: RTCPeerConnection) -> None:
    await a.setLocalDescription(await a.createOffer())
    await b.setRemoteDescription(a.localDescription)
    await b.setLocalDescription(await b.createAnswer())
    await a.setRemoteDescription(b.localDescription)
    for peer in (a, b):
        candidates = [line for line in peer.localDescription.sdp.splitlines() if line.startswith("a=candidate:")]
        assert candidates and all(" typ relay" in line for line in candidates), candidates


async def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        await asyncio.sleep(0.05)


@asynccontextmanager
async def two_peers(server: RunningServer) -> AsyncIterator[tuple[RTCPeerConnection, RTCPeerConnection]]:
    a, b = relay_only(server, "aiortc-a"), relay_only(server, "aiortc-b")
    try:
        yield a, b
    finally:
        await asyncio.gather(a.close(), b.close())


def test_aiortc_data_channel_through_the_relay(server: RunningServer) -> None:
    async def run() -> None:
        async with two_peers(server) as (a, b):
            heard: list[str | bytes] = []
            answered: list[str | bytes] = []

            @b.on("datachannel")
            def on_channel(channel: RTCDataChannel) -> None:
                @channel.on("message")
                def on_message(message: str | bytes) -> None:
                    heard.append(message)
                    channel.send(message)

            channel = a.createDataChannel("talk")
            channel.on("message", answered.append)
            await negotiate(a, b)
            await until(lambda: channel.readyState == "open")
            # Large ones are cut into many packets by SCTP, which must come through whole and in order.
            messages = [f"message {number}" for number in range(MESSAGES)] + [bytes(range(256)) * 200]
            for message in messages:
                channel.send(message)
            await until(lambda: len(answered) == len(messages))
            assert heard == answered == messages

    asyncio.run(run())


def test_aiortc_sound_and_pictures_through_the_relay(server: RunningServer) -> None:
    async def run() -> None:
        async with two_peers(server) as (a, b):
            tracks: list = []
            for peer in (a, b):
                peer.addTrack(AudioStreamTrack())
                peer.addTrack(Picture())
                peer.on("track", tracks.append)
            await negotiate(a, b)
            await until(lambda: len(tracks) == 4)

            async def take(track: object) -> list:
                return [await asyncio.wait_for(track.recv(), WAIT_SECONDS) for _ in range(FRAMES)]

            frames = dict(zip(tracks, await asyncio.gather(*(take(track) for track in tracks)), strict=True))
            for track, received in frames.items():
                stamps = [frame.pts for frame in received]
                assert stamps == sorted(set(stamps)), f"{track.kind}: time goes on from frame to frame"
                if track.kind == "video":
                    assert {(frame.width, frame.height) for frame in received} == {(320, 240)}
                    brightness = {bytes(frame.planes[0])[0] for frame in received}
                    assert len(brightness) > FRAMES // 2, "the pictures are different ones"
            for peer in (a, b):
                reports = [report for report in (await peer.getStats()).values() if report.type == "inbound-rtp"]
                assert len(reports) == 2 and all(report.packetsReceived >= FRAMES for report in reports), reports

    asyncio.run(run())


def test_aiortc_leaves_nothing_behind(start_server) -> None:
    """When both connections are closed their allocations are gone, and with them their sockets."""
    server = start_server()
    before = server.udp_sockets

    async def run() -> None:
        async with two_peers(server) as (a, b):
            channel = a.createDataChannel("talk")
            await negotiate(a, b)
            await until(lambda: channel.readyState == "open")
            assert len(server.udp_sockets - before) >= 2, "two relays"

    asyncio.run(run())
    eventually(lambda: not server.udp_sockets - before, "the end of the relays")
