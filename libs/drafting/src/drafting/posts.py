"""Posts and steps of plans: what a model may make of the owner's own words, and what it may not."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field

from drafting import guard, inventions
from drafting import handbook as handbooks
from drafting.background import Fact
from drafting.guard import UnfitDraft
from drafting.language import surely
from drafting.plain import clean, line
from drafting.prompt import HANDBOOK, Instructions
from drafting.skill import Skill

OWN = "your own words"
"""Who wrote a text that no model touched."""
LONGEST = 4_000
_TAG = re.compile(r"(?<!\w)[#@]([\w.@-]+)")
_URL = re.compile(r"https?://\S+")
_WORD = re.compile(r"[^\W_]+")
_SENTENCE = re.compile(r"[\n.!?;:]+")
JOINED = 6
"""Words that one hashtag may be made of."""
_STEP = re.compile(r"\bstep \d{1,2}\b", re.IGNORECASE)

FACTS = """\
# What follows

The next message is one JSON object: what you write for, and the owner's facts, each with its source. Say nothing that
is not among them or in the handbook's *What may be told*: no number, day, name, link, hashtag or promise. You have no
tools. Answer in the form you are given, whatever the skill says of the result's form. Code, not you, decides account,
time and link.
"""
WISH = """\
# What follows

The next message is one JSON object: what the owner wants, in their words. Answer with the steps alone, in the form you
are given, each as one line of the closed list. Step 1 is the owner's yes to your proposal; your steps are numbered from
2. Write no address, price, day, number or name that is not in the owner's words. You have no tools.
"""


@dataclass(frozen=True, kw_only=True)
class Brief:
    """What one post is made of. `facts` are all that it may say; `words` are the owner's own, which go out when no
    model writes. `longest` is in the network's own `unit`."""

    network: str
    longest: int
    unit: str
    words: str
    facts: tuple[Fact, ...]
    language: str = ""

    @property
    def given(self) -> str:
        return "\n".join((self.words, self.network, *(fact.text for fact in self.facts)))


@dataclass(frozen=True)
class PostText:
    """The text of a post. `because` says why another than the first drafter wrote it."""

    text: str
    by: str
    because: str = ""


@dataclass(frozen=True)
class Proposed:
    """Steps for a plan, each a line of the closed list; none when nobody proposes any."""

    steps: tuple[str, ...]
    by: str
    because: str = ""


@runtime_checkable
class Writer(Protocol):
    """Both raise DrafterUnavailable and DrafterRefused. `fits` raises ValueError with what is wrong, for the model."""

    def post(self, brief: Brief, *, handbook: str, fits: Callable[[str], object]) -> PostText: ...

    def steps(self, wish: str, *, handbook: str, fits: Callable[[Sequence[str]], object]) -> Proposed: ...


class PostAnswer(BaseModel):
    """The text of one post, as plain text."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(min_length=1, max_length=LONGEST)]


class StepsAnswer(BaseModel):
    """The steps of a plan, in their order."""

    model_config = ConfigDict(extra="forbid")

    steps: Annotated[list[Annotated[str, Field(min_length=1, max_length=1_000)]], Field(min_length=1, max_length=10)]


def checked_post(text: str, brief: Brief, *, handbook: str) -> str:
    """The text, cleaned. Raises UnfitDraft for what is invented, live, or in another language."""
    body = clean(text)
    if not body:
        raise UnfitDraft("the post is empty")
    if live := guard.LIVE.search(body):
        raise UnfitDraft(f"the post must be plain text, without '{live.group()}'")
    given = clean("\n".join((brief.given, *handbooks.read(handbook).tellable)))
    _nothing_new(body, given, "the post")
    for tag in _strange_tags(body, given):
        raise UnfitDraft(f"the post has a mention or hashtag that is not in the facts: {tag}")
    written = surely(body)
    if written and brief.language and written.value != brief.language:
        raise UnfitDraft(f"the post is in {written.english}; write it in the language '{brief.language}'")
    return body


def checked_steps(steps: Sequence[str], wish: str) -> tuple[str, ...]:
    """One line each. Raises UnfitDraft for what the owner did not say."""
    lines = tuple(line(step, 1_000) for step in steps)
    kinds = re.compile(r"^[A-Za-z]{1,20}:?\s*")
    for one in lines:
        _nothing_new(_STEP.sub("", kinds.sub("", one)), wish, "a step")
    return lines


def _strange_tags(body: str, given: str) -> Iterator[str]:
    """A mention that was not given as one, and a hashtag that is neither a given word nor some side by side."""
    body, given = (_URL.sub(" ", inventions.plainly(text).casefold()) for text in (body, given))
    mentioned = {tag[0].rstrip(".-") for tag in _TAG.finditer(given)}
    words = [_WORD.findall(sentence) for sentence in _SENTENCE.split(given)]
    joined = {
        "".join(some[at : at + size]) for some in words for at in range(len(some)) for size in range(1, JOINED + 1)
    }
    for tag in _TAG.finditer(body):
        shown = tag[0].rstrip(".-")
        whole = "".join(_WORD.findall(re.split("[.@-]", tag[1])[0]))
        if shown not in mentioned and (shown[0] == "@" or whole not in joined | {""}):
            yield shown


def _nothing_new(body: str, given: str, which: str) -> None:
    body, given = inventions.plainly(body), inventions.plainly(given)
    for what, find in guard.MARKS:
        familiar = {key for key, _ in find(given)}
        for key, shown in find(body):
            if key not in familiar:
                raise UnfitDraft(f"{which} has {what} that the owner did not give: {shown}")
    for what, shown in inventions.found(body, given):
        raise UnfitDraft(f"{which} has {what} that the owner did not give: {shown}")


def instructions(skill: Skill, follows: str, *, handbook: str) -> Instructions:
    own = f"# The owner's handbook\n\n{clean(handbook[:HANDBOOK]).strip() or '(empty)'}"
    return Instructions("\n\n".join(part.strip() for part in (skill.body, follows, own)) + "\n")


def material(brief: Brief) -> str:
    shown = {
        "network": brief.network, "longest": f"{brief.longest} {brief.unit}", "language": brief.language or None,
        "words": clean(brief.words), "facts": [line(fact.shown(), 600) for fact in brief.facts[:30]],
    }  # fmt: skip
    return json.dumps(shown, ensure_ascii=False, indent=1)
