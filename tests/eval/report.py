"""The scores as Markdown: tables, and a chart of letters that shows in any viewer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from drafting import Kind
from drafting.language import Language
from tests.eval.grading import Fault
from tests.eval.labelled import Mail
from tests.eval.scoring import Score

WIDTH = 40
"""Letters of a whole bar."""
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def figures(score: Score, mails: Sequence[Mail]) -> str:
    """What a drafter got right: the same on every machine for one that is deterministic."""
    return "\n".join([*_summary(score, mails), *_confusion(score), *_bars(score, mails), *_drafts(score)])


def timing(score: Score) -> str:
    """What it took here, now."""
    whole = len(score.triage_ms) + len(score.draft_ms)
    return (
        f"{score.name}: triage {score.median_ms(score.triage_ms):.2f} ms (median), draft "
        f"{score.median_ms(score.draft_ms):.2f} ms (median), {score.tokens} tokens "
        f"({score.tokens / whole:.0f} a question), {score.refused} refused"
    )


def placed(document: str, text: str) -> str:
    """The document with this text between its marks."""
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{after}"


def _summary(score: Score, mails: Sequence[Mail]) -> Iterator[str]:
    held = score.held_out.total()
    yield f"### {score.name}"
    yield ""
    yield "| what | figure |"
    yield "|---|---|"
    yield f"| triage, all {len(mails)} mails | {score.accuracy:.1%} |"
    yield f"| triage, the {held} held out | {score.held_accuracy:.1%} |"
    yield f"| mails that matter taken for spam or newsletters | {score.hidden} |"
    yield f"| drafts | {score.drafts} |"
    yield f"| inventions in them | {score.inventions}{_at_most(score)} |"
    yield f"| drafts with any fault | {score.faulty} |"
    yield ""


def _at_most(score: Score) -> str:
    return (
        f" (with 95 % confidence at most {3 / score.drafts:.1%} of drafts)"
        if score.drafts and not score.inventions
        else ""
    )


def _confusion(score: Score) -> Iterator[str]:
    yield "Right kind by row, given kind by column:"
    yield ""
    yield "| | " + " | ".join(kind.value for kind in Kind) + " |"
    yield "|---|" + "---|" * len(Kind)
    for right in Kind:
        row = (str(score.confusion[right, given] or "·") for given in Kind)
        yield f"| {right.value} | " + " | ".join(row) + " |"
    yield ""


def _bars(score: Score, mails: Sequence[Mail]) -> Iterator[str]:
    yield "```"
    for kind in Kind:
        whole = sum(n for (right, _), n in score.confusion.items() if right is kind)
        yield _bar(kind.value, score.confusion[kind, kind], whole)
    yield ""
    for language in Language:
        whole = sum(mail.languages[0] is language for mail in mails)
        yield _bar(language.value, score.languages[language, True], whole)
    yield "```"
    yield ""


def _bar(name: str, right: int, whole: int) -> str:
    filled = round(WIDTH * right / whole) if whole else 0
    return f"{name:<14}{'█' * filled}{'░' * (WIDTH - filled)} {right:>3} of {whole}"


def _drafts(score: Score) -> Iterator[str]:
    yield "| fault | drafts |"
    yield "|---|---|"
    for fault in Fault:
        yield f"| {fault.value} | {score.faults[fault]} |"
