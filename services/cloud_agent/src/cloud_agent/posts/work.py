"""The work on what is social: a planned post is drafted; what was said to us is answered, or put before the owner."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from cloud_agent.desk import Desk
from cloud_agent.handing_on import Submit, Undraftable
from cloud_agent.note_of_mail import text_in
from cloud_agent.posts import answering, goals, making, overtaken, proposing, writing
from cloud_agent.posts.answering import Said
from cloud_agent.posts.finished import Finished
from cloud_agent.posts.wording import Wanted, Wording
from cloud_agent.reading import Reading
from drafting import Drafter, Kind, Letter, Priority, Triage
from drafting.posts import Writer
from social.calendar import Entry, Picture, id_of, read
from vault_protocol import layout, plain, scan
from vault_protocol.canonical import moment, utc
from vault_protocol.clock import Clock
from vault_protocol.front_matter import FrontMatter
from vault_protocol.social_action import Media, PublishPost
from vault_protocol.task import Domain, Stage, Task
from vault_protocol.vault import Vault

if TYPE_CHECKING:
    from cloud_agent.work import Held

_SHELVES = (Stage.NEEDS_ACTION, Stage.IN_PROGRESS, Stage.PENDING_APPROVAL, Stage.DONE)


def is_ours(task: Task) -> bool:
    """Whether it is a planned post, or something that Local heard; its type is another once it was drafted."""
    front = task.note.front
    return task.domain is Domain.SOCIAL and any(front.words(key) for key in ("calendar", "goal", "post"))


class PostWork:
    """The part of a worker that posts need; `ask`, `close` and `submit` are how it hands a task on."""

    def __init__(
        self, desk: Desk, drafter: Drafter, *, writer: Writer | None, owner: str, clock: Clock,
        ask: Callable[[Held, str], None], close: Callable[[Held, Reading], None], submit: Submit,
    ) -> None:  # fmt: skip
        self._desk, self._drafter, self._owner, self._clock = desk, drafter, owner, clock
        self._finished, self._wording = Finished(), Wording(writer, clock)
        self._ask, self._close, self._submit = ask, close, submit

    def takes(self, held: Held) -> bool:
        """Whether it was ours; then it was worked on. Raises what the drafter and the vault raise."""
        if not is_ours(held.task):
            return False
        try:
            if held.task.note.front.words("calendar"):
                self._post(held)
            elif held.task.note.front.words("goal"):
                self._propose(held)
            else:
                self._answer(held)
        except (Undraftable, writing.TooLong) as error:
            self._ask(held, str(error))
        return True

    def _post(self, held: Held) -> None:
        """Everything is read anew from the owner's entry: nothing that stands in the task's note is an order."""
        task, path = held.task, held.task.note.front.words("calendar")
        held.triage = Triage(Kind.NEEDS_OWNER, Priority.NORMAL, "your calendar plans this post", "calendar")
        with self._desk.vault() as vault:
            content = vault.journal.read(path) if layout.in_calendar(path) else None
            if content is None:
                raise Undraftable(f"the entry {plain.one_line(path, 120)} is not there any more: reject this post")
            entry = read(content)
            if not isinstance(entry, Entry):
                raise Undraftable(
                    f"the entry {plain.one_line(path, 120)} cannot be read: {entry or 'it has no time any more'}"
                )
            vault_id = vault.journal.identity.vault
            place = next((one for one in entry.places if id_of(vault_id, path, entry, one) == task.id), None)
            if place is None:
                raise Undraftable("the entry was changed since: another task was raised for what it says now")
            media, before = _media(vault, entry.pictures), overtaken.approved_before(vault, path, place)
        remark = task.note.front.words("remark").strip()
        words = remark or entry.words_for(place.network)
        if not words and not media:
            raise Undraftable("the entry has no words and no picture")
        wanted = Wanted(place.network, words, plain.one_line(path, 120), entry.title, entry.link, entry.language)
        if entry.write and not remark:
            written = self._wording.of(wanted, held.handbook, due=entry.at)
        else:
            written = wanted.as_they_stand(by="your remark" if remark else "the words of your calendar")
        told = [*before, *written.told]
        action = making.post(
            place, written.text, told, media=media, link=entry.link or None, language=entry.language or None
        )
        self._put_up(held, action, told, by=written.by, due=utc(entry.at))

    def _propose(self, held: Held) -> None:
        """As for the calendar: words, place and time are from the owner's notes, and held against the task's id."""
        task, front = held.task, held.task.note.front
        held.triage = Triage(Kind.NEEDS_OWNER, Priority.NORMAL, "your goals plan posts", "goals")
        with self._desk.vault() as vault:
            posts = goals.read(vault.journal.read(layout.GOALS) or b"")
            place, due = making.place_of(front.words("network"), front.words("account")), _moment(front.words("due"))
            if place is None or due is None or proposing.id_of(vault, place, due) != task.id:
                raise Undraftable("the note does not say where and when it would be posted: reject this post")
            found = proposing.words_of(vault, posts, self._finished)
            words = next((one for one in found if one.key(place) == front.words("goal")), None)
            if words is None:
                raise Undraftable("its words do not stand in your notes any more: reject this post")
            if others := proposing.others_with(vault, task):
                raise Undraftable(f"task {others[0]} posts the same words: reject one of the two")
            media = _media(vault, words.pictures)
        remark = front.words("remark").strip()
        wanted = Wanted(place.network, remark or words.text, words.source, words.theme, words.link, words.language)
        if remark:
            written = wanted.as_they_stand(by="your remark")
        else:
            written = self._wording.of(wanted, held.handbook, due=due)
        told = list(written.told)
        action = making.post(
            place, written.text, told, media=media, link=words.link or None, language=words.language or None
        )
        self._put_up(held, action, told, by=written.by, due=utc(due))

    def _answer(self, held: Held) -> None:
        """The place and the post that is answered are from the front matter, which Local wrote and holds it against."""
        front = held.task.note.front
        letter = Letter(
            sender_name="", sender_address="", to_account="business", account_name=self._owner, subject="",
            text=plain.visible(_said_in(held.task)),
        )  # fmt: skip
        triage = self._drafter.triage(letter, handbook=held.handbook)
        judged, remark = answering.judge(letter, triage), front.words("remark").strip()
        urgent = Priority.HIGH if judged.said is Said.OWNERS else Priority.NORMAL
        kind = {Said.OWNERS: Kind.NEEDS_OWNER, Said.SPAM: Kind.SPAM}.get(judged.said, Kind.REPLY_WANTED)
        held.triage = Triage(kind, urgent, scan.mask(judged.why)[0], "rules")
        if judged.said is Said.OWNERS and not remark:
            raise Undraftable(held.triage.reason)
        if judged.said is Said.SPAM and not remark:
            if held.task.revision:
                raise Undraftable(held.triage.reason)
            self._close(held, Reading(letter))
            return
        words = remark or answering.words_for(judged, letter)
        about = plain.message_id_meant(front.words("post"))
        place = making.place_of(front.words("network"), front.words("account"))
        if place is None or not about:
            raise Undraftable("the note does not name the post that would be answered")
        written = writing.fitting(words, place.network, reply=True)
        told = written.told
        if judged.said is Said.QUESTION and not remark:
            told.append("The answer itself is not known here: send it back with a remark to have it written.")
        action = making.post(place, written.text, told, reply_to=about)
        self._put_up(held, action, told, by="your remark" if remark else "templates")

    def _put_up(self, held: Held, action: PublishPost, told: list[str], *, by: str, due: str = "") -> None:
        now = self._clock.now()
        note = making.asking(held.task.note, action, told, held.triage, by=by, now=now, due=due)
        self._submit(held, note, "draft", digest=action.digest, network=action.network)


def _media(vault: Vault, pictures: Sequence[Picture]) -> tuple[Media, ...]:
    """By the notes that Local wrote when the files were dropped. Raises Undraftable."""
    dropped: dict[str, dict[str, FrontMatter]] = {one.name: {} for one in pictures}
    for task in vault.tasks(*_SHELVES) if pictures else ():
        front = task.note.front
        if task.domain is Domain.FILES and front.words("name") in dropped and front.words("sha256"):
            dropped[front.words("name")][front.words("sha256")] = front
    return tuple(_one_of(picture, dropped[picture.name]) for picture in pictures)


def _one_of(picture: Picture, dropped: Mapping[str, FrontMatter]) -> Media:
    """The file of this name; `dropped` has each by its hash."""
    if len(dropped) > 1:
        raise Undraftable(
            f"{len(dropped)} different files called {picture.name} were dropped: drop it under another name"
        )
    if not dropped:
        raise Undraftable(f"the picture {picture.name} was never dropped into Inbox/")
    ((sha256, front),) = dropped.items()
    try:
        return Media(
            name=picture.name, media_type=front.words("media_type"), size=front.number("size"), sha256=sha256,
            alt=picture.alt,
        )  # fmt: skip
    except ValueError:
        raise Undraftable(f"{picture.name} is no picture") from None


def _moment(text: str) -> datetime | None:
    try:
        return moment(text)
    except ValueError:
        return None


def _said_in(task: Task) -> str:
    """What stands in the last fence of the original: the first has who said it and where."""
    opened, found, text = "", list[str](), ""
    for line in text_in(task.note).split("\n"):
        if opened and line == opened:
            opened, text = "", "\n".join(found)
        elif opened:
            found.append(line)
        elif line.startswith("```"):
            opened, found, text = line.removesuffix("text"), [], ""
    return text
