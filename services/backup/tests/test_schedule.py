from datetime import UTC, datetime, timedelta

from backup import anomalies, schedule
from backup.anomalies import What
from backup.past import Past, Size, Status
from vault_protocol.canonical import utc

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
JOBS = {"vault": timedelta(minutes=1), "books": timedelta(minutes=5), "check": timedelta(days=1)}


def ago(seconds: float) -> str:
    return utc(NOW - timedelta(seconds=seconds))


def status(begun: float = 0, **jobs: Past) -> Status:
    return Status(begun=ago(begun), jobs=jobs)


def well(seconds: float, *totals: int) -> Past:
    sizes = tuple(Size(at=ago(seconds), snapshot=f"s{n}", total=total, added=0) for n, total in enumerate(totals))
    return Past(tried=ago(seconds), well=ago(seconds), sizes=sizes)


def found(**jobs: Past) -> list[tuple[str, What]]:
    seen = anomalies.find(JOBS, status(10 * 86400, **jobs), NOW, late=3)
    return [(one.job, one.what) for one in seen]


def test_at_first_everything_is_due() -> None:
    assert set(schedule.due(JOBS, status(), NOW)) == {*JOBS}
    assert schedule.rest(JOBS, status(), NOW) == timedelta()


def test_a_job_comes_back_after_its_interval_and_the_longest_waiting_is_first() -> None:
    seen = status(vault=well(70), books=well(320), check=well(100))
    assert schedule.due(JOBS, seen, NOW) == ("books", "vault")
    assert schedule.rest(JOBS, status(vault=well(45), books=well(0), check=well(0)), NOW) == timedelta(seconds=15)


def test_a_failed_job_comes_back_sooner_and_then_ever_later_and_never_later_than_its_interval() -> None:
    rests = []
    for failures in (1, 2, 3, 9, 60):
        past = Past(tried=ago(0), failures=failures)
        rests.append(schedule.rest({"check": timedelta(days=1)}, status(check=past), NOW).total_seconds())
    assert rests == [15, 30, 60, 900, 900]
    assert schedule.rest({"vault": JOBS["vault"]}, status(vault=Past(tried=ago(0), failures=9)), NOW) == JOBS["vault"]


def test_a_clock_that_went_back_holds_nothing_up() -> None:
    assert schedule.due({"vault": JOBS["vault"]}, status(vault=well(-3600)), NOW) == ("vault",)


def test_when_all_is_well_nothing_is_said() -> None:
    assert found(vault=well(59), books=well(299), check=well(3600)) == []


def test_a_job_that_is_late_or_never_was_is_named() -> None:
    assert found(vault=well(481), books=well(299), check=well(3600)) == [("vault", What.LATE)]
    assert found(vault=well(479), books=well(299)) == [("check", What.NEVER)]
    assert anomalies.find(JOBS, status(60), NOW, late=3) == (), "a minute after the first start nothing is late yet"


def test_one_failure_is_bad_luck_and_two_in_a_row_are_told_with_the_reason() -> None:
    def failing(times: int) -> Past:
        return well(30).model_copy(update={"failures": times, "error": "no room"})

    others = {"books": well(1), "check": well(1)}
    assert found(vault=failing(1), **others) == []
    assert found(vault=failing(2), **others) == [("vault", What.FAILING)]
    [one] = anomalies.find(JOBS, status(0, vault=failing(2), **others), NOW, late=3)
    assert "no room" in one.words


def test_a_snapshot_that_is_half_of_the_usual_or_thrice_of_it_is_named() -> None:
    mega = 1 << 20
    usual = [100 * mega] * 6
    others = {"books": well(1), "check": well(1)}
    assert found(vault=well(1, *usual, 51 * mega), **others) == []
    assert found(vault=well(1, *usual, 49 * mega), **others) == [("vault", What.SHRUNK)]
    assert found(vault=well(1, *usual, 299 * mega), **others) == []
    assert found(vault=well(1, *usual, 301 * mega), **others) == [("vault", What.GREW)]
    assert found(vault=well(1, *[1000] * 6, 9000), **others) == [], "small things grow all the time"
    assert found(vault=well(1, *usual[:4], 0), **others) == [], "too few to say what is usual"


def test_the_past_of_a_job_forgets_its_failures_when_it_ends_well_and_keeps_its_sizes_when_it_does_not() -> None:
    size = Size(at=ago(0), snapshot="s", total=1, added=1)
    past = Past().ended_well(NOW, mark="m", size=size).failed(NOW, "gone").failed(NOW, "gone")
    assert (past.failures, past.sizes, past.mark, past.last_well) == (2, (size,), "m", NOW)
    again = past.ended_well(NOW)
    assert (again.failures, again.error, again.sizes, again.mark) == (0, "", (size,), "m")
