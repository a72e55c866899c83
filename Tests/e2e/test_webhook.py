"""Notices of calls to somebody else's server: all of them, in order, signed, however often it or we fail."""

import threading
import time
from collections.abc import Callable

import pytest

from running_server import RunningServer
from scenario import Scenario
from test_server_cli import command, refusal
from waiting import eventually
from webhook_receiver import SECRET, WebhookReceiver


def types(notices: list[dict]) -> list[str]:
    return [notice["type"] for notice in notices]


def test_a_call_is_told_from_its_beginning_to_its_end(start_server: Callable[..., RunningServer]) -> None:
    with WebhookReceiver() as receiver, Scenario(start_server(**receiver.settings)) as s:
        a, b = s.socket("alice"), s.socket("bob")
        call_id = s.active_call(a, b)
        assert s.post(f"/api/calls/{call_id}/end", "bob").status_code == 200
        eventually(lambda: len(receiver.of(call_id)) == 3, "three notices")
        notices = receiver.of(call_id)
        assert types(notices) == ["call.initiated", "call.answered", "call.ended"]
        assert [notice["data"]["call"]["state"] for notice in notices] == ["ringing", "connecting", "ended"]
        assert notices[0]["data"]["userId"] == s.id("alice") and notices[1]["data"]["userId"] == s.id("bob")
        assert notices[2]["data"]["reason"] == "hangup"
        assert all(notice["timestamp"].endswith("Z") for notice in notices)
        sequences = [notice["data"]["seq"] for notice in notices]
        assert sequences == sorted(sequences)
        assert len({name for name, _ in receiver.notices}) == len(receiver.notices), "nothing was sent twice"
        assert "the webhook" not in s.server.log, "nothing to complain of"


def test_a_call_that_nobody_takes_is_told_as_missed(start_server: Callable[..., RunningServer]) -> None:
    with WebhookReceiver() as receiver, Scenario(start_server(CALL_RING_TIMEOUT="1s", **receiver.settings)) as s:
        call_id = s.initiate("alice", ["bob"])
        eventually(lambda: "call.ended" in types(receiver.of(call_id)), "the end")
        assert types(receiver.of(call_id)) == ["call.initiated", "call.missed", "call.ended"]
        assert receiver.of(call_id)[-1]["data"]["reason"] == "missed"


def test_a_receiver_that_refuses_is_asked_again_and_other_calls_do_not_wait(
    start_server: Callable[..., RunningServer],
) -> None:
    refused: set[str] = set()
    with WebhookReceiver() as receiver:

        def once(notice: dict) -> int:
            name = f"{notice['data']['callId']}.{notice['data']['seq']}"
            if notice["data"]["call"]["roomId"].startswith("!stubborn") and name not in refused:
                refused.add(name)
                return 500
            return 200

        receiver.answer = once
        with Scenario(start_server(**receiver.settings)) as s:
            stubborn = s.initiate("alice", ["bob"], roomId="!stubborn")
            assert s.post(f"/api/calls/{stubborn}/reject", "bob").status_code == 200
            eventually(lambda: refused, "a refusal")
            easy = s.initiate("carol", ["dave"], roomId="!easy")
            eventually(lambda: len(receiver.of(easy)) == 1, "the other call's notice")
            eventually(lambda: len(receiver.of(stubborn)) == 3, "what was refused comes again")
            assert types(receiver.of(stubborn)) == ["call.initiated", "call.rejected", "call.ended"]
            assert "the webhook did not take a notice, which will be sent again" in s.server.log
            assert "it answered 500" in s.server.log


def test_a_receiver_that_hangs_on_one_call_hears_of_others(start_server: Callable[..., RunningServer]) -> None:
    release = threading.Event()

    def hang_on_one(notice: dict) -> int:
        if notice["data"]["call"]["roomId"] == "!hanging":
            release.wait(30)
        return 200

    with WebhookReceiver(answer=hang_on_one) as receiver, Scenario(start_server(CALL_INITIATE_RATE="", **receiver.settings)) as s:
        hanging = s.initiate("alice", ["bob"], roomId="!hanging")
        eventually(lambda: receiver.notices, "a try")
        for number in range(40):
            call_id = s.initiate("carol", ["dave"], roomId=f"!easy-{number}")
            eventually(lambda call_id=call_id: receiver.of(call_id), "another call's notice", seconds=5)
        assert not receiver.of(hanging)
        release.set()
        eventually(lambda: receiver.of(hanging), "the one that hung")


def test_what_was_not_taken_before_the_server_died_is_sent_after_it_came_back(
    start_server: Callable[..., RunningServer],
) -> None:
    with WebhookReceiver(answer=lambda notice: 503) as receiver:
        server = start_server(**receiver.settings)
        with Scenario(server) as s:
            call_id = s.initiate("alice", ["bob"])
            assert s.post(f"/api/calls/{call_id}/reject", "bob").status_code == 200
            eventually(lambda: receiver.notices, "a try")
            server.kill()
            receiver.answer = lambda notice: 200
            server.start()
            # Whatever was under way when it died is nobody's for 15 seconds.
            eventually(lambda: len(receiver.of(call_id)) == 3, "all three", seconds=60)
            assert types(receiver.of(call_id)) == ["call.initiated", "call.rejected", "call.ended"]


def test_a_receiver_that_hangs_does_not_hold_up_the_end_of_the_server(
    start_server: Callable[..., RunningServer],
) -> None:
    release = threading.Event()

    def hang(notice: dict) -> int:
        release.wait(20)
        return 200

    with WebhookReceiver(answer=hang) as receiver:
        server = start_server(**receiver.settings)
        with Scenario(server) as s:
            s.initiate("alice", ["bob"])
            eventually(lambda: receiver.notices, "a try")
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 10
        release.set()


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"CALL_WEBHOOK_URL": "https://a.example/"}, "CALL_WEBHOOK_SECRET"),
        ({"CALL_WEBHOOK_SECRET": SECRET}, "CALL_WEBHOOK_URL"),
        ({"CALL_WEBHOOK_URL": "ftp://a.example/", "CALL_WEBHOOK_SECRET": SECRET}, "CALL_WEBHOOK_URL"),
        ({"CALL_WEBHOOK_URL": "https://u:p@a.example/", "CALL_WEBHOOK_SECRET": SECRET}, "CALL_WEBHOOK_URL"),
        ({"CALL_WEBHOOK_URL": "https://a.example/", "CALL_WEBHOOK_SECRET": "whsec_?"}, "CALL_WEBHOOK_SECRET"),
    ],
)
def test_a_webhook_that_cannot_work_is_refused(tmp_path, settings: dict[str, str], named: str) -> None:
    result = command(tmp_path, "serve", **settings)
    assert result.returncode == 78
    assert named in refusal(result) and "whsec_" + SECRET[6:] not in result.stderr
