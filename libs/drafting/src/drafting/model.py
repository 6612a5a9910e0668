"""The drafter that asks a language model; the rules still decide what is theirs."""

import json
from collections.abc import Callable, Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from drafting import guard, posts, prompt, red_flags, rules
from drafting.connection import Connection
from drafting.letter import Draft, Kind, Letter, Priority, Triage
from drafting.plain import clean, line
from drafting.posts import Brief, PostAnswer, PostText, Proposed, StepsAnswer
from drafting.skill import Skill


class TriageAnswer(BaseModel):
    """What kind of mail it is."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    priority: Priority
    reason: Annotated[str, Field(min_length=1, max_length=500, description="One short sentence for the owner.")]


class DraftAnswer(BaseModel):
    """The body of a reply, as plain text."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(min_length=1, description="The whole body, from the greeting to the name.")]
    unknowns: Annotated[
        list[Annotated[str, Field(max_length=500)]],
        Field(max_length=20, description="What you did not know and the owner might fill in."),
    ]


class ModelDrafter:
    """A model gives text and closed enums; it never sees a tool, a recipient to choose or an amount to set."""

    def __init__(
        self, connection: Connection, *, triage_skill: Skill, draft_skill: Skill, post_skill: Skill, plan_skill: Skill
    ) -> None:
        self._connection, self._post_skill, self._plan_skill = connection, post_skill, plan_skill
        self._triage_skill = triage_skill
        self._draft_skill = draft_skill
        self._by = f"{connection.provider}:{connection.model}"

    def triage(self, letter: Letter, *, handbook: str) -> Triage:
        """By rule where a rule knows; the model cannot lower a rule's priority nor raise spam's."""
        if decided := rules.decide(letter):
            kind, why = decided
            priority, urgency = rules.priority(kind, letter, handbook=handbook)
            return Triage(kind, priority, "; ".join(why + urgency), "rules")
        answer = self._connection.ask(
            instructions=prompt.instructions(self._triage_skill, letter, handbook=handbook),
            material=prompt.material(letter),
            answer=TriageAnswer,
            check=lambda _: None,
        )
        kind = answer.kind if rules.allowed(answer.kind, letter) else Kind.INFORMATIONAL
        priority, urgency = rules.priority(kind, letter, handbook=handbook)
        if priority is not Priority.HIGH and kind not in (Kind.SPAM, Kind.NEWSLETTER):
            priority = answer.priority
        return Triage(kind, priority, "; ".join((line(answer.reason, 200), *urgency)), self._by)

    def draft(self, letter: Letter, *, handbook: str, remark: str | None, previous: str | None) -> Draft:
        """Text that passed the guard; what the mail, the remark and the handbook do not hold is a warning."""

        def check(answer: DraftAnswer) -> guard.Checked:
            return guard.check(answer.text, letter=letter, remark=remark, handbook=handbook)

        answer = self._connection.ask(
            instructions=prompt.instructions(self._draft_skill, letter, handbook=handbook, remark=remark),
            material=prompt.material(letter, previous=previous),
            answer=DraftAnswer,
            check=check,
        )
        checked = check(answer)
        flags = tuple(f"the mail {flag}" for flag in red_flags.orders(letter) + red_flags.demands(letter))
        unknowns = tuple(short for unknown in answer.unknowns if (short := line(unknown, 200)))
        return Draft(checked.text, unknowns, self._by, flags + checked.warnings)

    def post(self, brief: Brief, *, handbook: str, fits: Callable[[str], object]) -> PostText:
        """The owner's words said anew, from the facts alone and within what the network takes."""

        def check(answer: PostAnswer) -> str:
            text = posts.checked_post(answer.text, brief, handbook=handbook)
            fits(text)
            return text

        answer = self._connection.ask(
            instructions=posts.instructions(self._post_skill, posts.FACTS, handbook=handbook),
            material=posts.material(brief), answer=PostAnswer, check=check,
        )  # fmt: skip
        return PostText(check(answer), self._by)

    def steps(self, wish: str, *, handbook: str, fits: Callable[[Sequence[str]], object]) -> Proposed:
        """Steps for what the owner wants; the caller asks the owner before it tries one."""

        def check(answer: StepsAnswer) -> tuple[str, ...]:
            steps = posts.checked_steps(answer.steps, wish)
            fits(steps)
            return steps

        answer = self._connection.ask(
            instructions=posts.instructions(self._plan_skill, posts.WISH, handbook=handbook),
            material=json.dumps({"wish": clean(wish[: prompt.TEXT])}, ensure_ascii=False, indent=1), answer=StepsAnswer,
            check=check,
        )  # fmt: skip
        return Proposed(check(answer), self._by)
