"""The lines are restic 0.14's own."""

from datetime import UTC, datetime

import pytest

from backup import messages
from backup.errors import ResticFailed
from backup.messages import Fault, Kept, Progress, Summary

STATUS = '{"message_type":"status","percent_done":0.25,"total_files":1,"total_bytes":200000,"bytes_done":50000}'
SUMMARY = (
    '{"message_type":"summary","files_new":1,"files_changed":0,"files_unmodified":0,"dirs_new":1,"dirs_changed":0,'
    '"dirs_unmodified":0,"data_blobs":1,"tree_blobs":2,"data_added":200709,"total_files_processed":1,'
    '"total_bytes_processed":200000,"total_duration":0.23,"snapshot_id":"0e83d9f0"}'
)
ERROR = '{"message_type":"error","error":{"Op":"open","Path":"/x/secret","Err":13},"during":"archival","item":"/x/a"}'
ONE = (
    '{"time":"2026-11-25T18:49:11.554563937Z","tree":"56193af7","paths":["/tmp/rt/src"],"hostname":"h",'
    '"username":"root","tags":["vault"],"id":"0e83d9f0ac6b","short_id":"0e83d9f0"}'
)


def test_what_restic_says_while_it_works_is_told_apart() -> None:
    status, summary, error = (messages.message(line) for line in (STATUS, SUMMARY, ERROR))
    assert isinstance(status, Progress)
    assert status.percent_done == 0.25
    assert isinstance(summary, Summary)
    assert (summary.snapshot_id, summary.data_added) == ("0e83d9f0", 200709)
    assert isinstance(error, Fault)
    assert error.item == "/x/a"


@pytest.mark.parametrize("line", ["", "unable to open cache", '{"message_type":"verbose_status"}', "[]", "{"])
def test_a_line_that_is_no_message_is_passed_over(line: str) -> None:
    assert messages.message(line) is None


def test_snapshots_are_read_with_their_time_and_the_newest_of_a_kind_is_found() -> None:
    older = ONE.replace("18:49:11", "17:00:00").replace("0e83d9f0ac6b", "aaaa")
    other = ONE.replace("18:49:11", "20:00:00").replace("vault", "books")
    found = messages.snapshots(f"[{ONE},{older},{other}]")
    assert [one.id for one in found[:2]] == ["aaaa", "0e83d9f0ac6b"]
    newest = messages.newest(found, "vault")
    assert newest is not None
    assert newest.time == datetime(2026, 11, 25, 18, 49, 11, 554563, tzinfo=UTC)
    assert messages.newest(found, "kuma") is None
    assert messages.snapshots("null") == ()


def test_a_list_that_is_cut_off_is_an_error() -> None:
    with pytest.raises(ResticFailed, match="does not read"):
        messages.snapshots(f"[{ONE}")


def test_what_was_forgotten_is_counted_by_kind_and_what_prune_adds_is_passed_over() -> None:
    line = f'[{{"tags":["vault"],"host":"h","paths":["/x"],"keep":[{ONE}],"remove":[{ONE},{ONE}],"reasons":[]}}]'
    assert messages.forgotten(f"{line}\nloading indexes...\n") == (Kept("vault", 1, 2),)
    assert messages.forgotten("") == ()


def test_the_last_words_are_the_fatal_ones() -> None:
    said = "Fatal: unable to open config file: stat x/config: no such file\nIs there a repository there?\nx\n"
    assert messages.last_words(said) == "unable to open config file: stat x/config: no such file"
    assert messages.last_words("") == "it said nothing"
