"""The peer of call-bench: python-socketio's server under the smallest application that passes candidates on.

    socketio_peer.py --port N

Knows `join-call` and `ice-candidate` as callrelay does, without its REST API, its store and its checks: whoever joins a
call hears the candidates of the others in it, and every event is acknowledged.
"""

import argparse

import socketio
from aiohttp import web


def application() -> web.Application:
    server = socketio.AsyncServer(async_mode="aiohttp", always_connect=True)

    @server.event
    async def connect(sid: str, environ: dict, auth: dict) -> None:
        await server.save_session(sid, {"user": auth["token"].removeprefix("dev:")})

    @server.on("join-call")
    async def join_call(sid: str, data: dict) -> dict:
        await server.enter_room(sid, data["callId"])
        return {"ok": True}

    @server.on("ice-candidate")
    async def ice_candidate(sid: str, data: dict) -> dict:
        session = await server.get_session(sid)
        event = {"callId": data["callId"], "from": session["user"], "candidate": data["candidate"]}
        await server.emit("ice-candidate", event, room=data["callId"], skip_sid=sid)
        return {"ok": True}

    app = web.Application()
    server.attach(app)
    return app


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    web.run_app(application(), host="127.0.0.1", port=arguments.port, print=None)


if __name__ == "__main__":
    main()
