"""The outside server: its record is the truth about what was sent."""

import smtplib
import subprocess
import sys
from pathlib import Path

import pytest

from demo.launch import Outside, outside
from demo.processes import eventually

RAW = b"Subject: s\r\n\r\n.dotted\r\n..\r\nend\r\n"


def send(world: Outside, *recipients: str) -> None:
    with smtplib.SMTP("127.0.0.1", world.port, "elsewhere.example", timeout=20) as smtp:
        smtp.sendmail("a@x.example", recipients or ["b@y.example"], RAW)


def test_what_was_accepted_is_on_record_byte_for_byte_with_its_envelope(tmp_path: Path) -> None:
    with outside(tmp_path) as world:
        send(world, "b@y.example", "c@y.example")
        send(world)
        first, second = world.received()
    assert (first.number, second.number) == (1, 2)
    assert first.raw == RAW
    assert first.envelope.sender == "a@x.example"
    assert first.envelope.recipients == ("b@y.example", "c@y.example")


def test_the_record_survives_a_power_cut_and_goes_on(tmp_path: Path) -> None:
    with outside(tmp_path) as world:
        send(world)
        world.running.kill()
    with outside(tmp_path) as world:
        send(world)
        assert [message.number for message in world.received()] == [1, 2]


def test_drop_after_data_loses_the_answer_but_not_the_message(tmp_path: Path) -> None:
    with outside(tmp_path, "drop-after-data:1") as world:
        with pytest.raises(smtplib.SMTPServerDisconnected):
            send(world)
        assert len(world.received()) == 1
        send(world)
        assert len(world.received()) == 2


def test_lose_data_loses_both(tmp_path: Path) -> None:
    with outside(tmp_path, "lose-data:1") as world:
        with pytest.raises(smtplib.SMTPServerDisconnected):
            send(world)
        assert world.received() == []


def test_refusals_come_in_their_numbers_and_leave_no_record(tmp_path: Path) -> None:
    with outside(tmp_path, "refuse-rcpt:1", "defer:1", "refuse-data:1") as world:
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            send(world)
        with pytest.raises(smtplib.SMTPDataError) as deferred:
            send(world)
        with pytest.raises(smtplib.SMTPDataError) as refused:
            send(world)
        assert (deferred.value.smtp_code, refused.value.smtp_code) == (451, 554)
        assert world.received() == []
        send(world)
        assert len(world.received()) == 1


def test_a_slow_server_has_the_message_before_it_answers(tmp_path: Path) -> None:
    with outside(tmp_path, "slow:60") as world:
        smtp = smtplib.SMTP("127.0.0.1", world.port, "x.example", timeout=1)
        with smtp, pytest.raises(smtplib.SMTPServerDisconnected):
            smtp.sendmail("a@x.example", ["b@y.example"], RAW)
        assert len(eventually(world.received, "the message is stored")) == 1
        assert world.running.stop() == 0


def test_a_misspelled_fault_is_refused_at_the_start(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "demo.outside", "--ports-file", str(tmp_path / "p"), "--maildir"]
    done = subprocess.run([*command, str(tmp_path), "--fault", "drop:1"], capture_output=True, timeout=60)
    assert done.returncode == 2
    assert b"drop" in done.stderr
