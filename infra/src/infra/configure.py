"""`./just configure STACK`: asks for what a stack needs, refuses nonsense at once, and writes Pulumi.STACK.yaml.

No secret is asked for and none is written: the commands that add them encrypted are printed at the end.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from infra import conventions, settings

HERE = Path(__file__).resolve().parents[2]
NONE = "-"
"""The answer that wants nothing here."""
KEY = f"{conventions.PROJECT}:settings"
_STACK = re.compile(r"[a-z][a-z0-9-]{1,15}")


class Ended(Exception):
    """The answers ended before the questions did; nothing was written."""


@dataclass(frozen=True)
class Question:
    """`key` is the setting's path. An empty answer takes what stood there, else `default`; None: one is needed."""

    key: tuple[str, ...]
    text: str
    default: str | None = None


STACK = (
    Question(("tenancy",), "the tenancy's OCID (Oracle's console: profile, tenancy)"),
    Question(("region",), "the tenancy's home region (Oracle's console: the regions' menu marks it)", "eu-frankfurt-1"),
    Question(("owner",), "your name, as Cloud signs drafts"),
    Question(("contact",), "a mail address for alarms, budget and certificates"),
)
NAMES = (
    Question(("names", "domain"), "the domain that hub and Odoo are names of"),
    Question(("names", "provider"), "who serves its names: oci, cloudflare or none (you make the records)", "oci"),
)
ZONE = Question(("names", "cloudflare_zone_id"), "Cloudflare's id of that zone")
BOOKS = (
    Question(("books_country",), "the books' country, two letters as AT; `-` to choose accounts in Odoo later", NONE),
    Question(("names", "status"), "a name of that domain for the monitor, as status; `-` for none", NONE),
)
RELEASE = (
    Question(("release", "version"), "version of the release (`./just release` makes one)", "0.1.0"),
    Question(("release", "url"), "where the VM fetches it, by https"),
    Question(("release", "sha256"), "its SHA-256, as `./just release` printed it"),
)
MACHINE = (
    Question(("paid",), "may more than what is always free be made? yes or no", "no"),
    Question(("machine", "ocpus"), "OCPUs of the VM", str(conventions.FREE_OCPUS)),
    Question(("machine", "memory_gb"), "its memory in GB", str(conventions.FREE_MEMORY_GB)),
    Question(("machine", "data_gb"), "its data volume in GB", "100"),
    Question(("budget",), "a month's budget that warns, in the tenancy's currency", "5"),
    Question(
        ("admin_blocks",), "addresses that SSH by the Bastion is open to, as 203.0.113.7/32; `-` for no SSH", NONE
    ),
)
BOX = (
    Question(("name",), "a short name for it"),
    Question(("address",), "its address"),
    Question(("host",), "its IMAP server"),
    Question(("user",), "the user's name there"),
)
WHOLE = (*STACK, *NAMES, *BOOKS, *RELEASE, *MACHINE)


@dataclass
class Interview:
    """One person, asked line by line: `ask` raises EOFError at the end, `say` takes a line."""

    stack: str
    values: dict[str, Any]
    ask: Callable[[str], str]
    say: Callable[[str], None]

    def hold(self) -> dict[str, Any]:
        """Legal settings. Raises Ended."""
        self._each(STACK)
        self._each(NAMES)
        if self.values["names"]["provider"] == "cloudflare":
            self._one(ZONE)
        else:
            self.values["names"].pop("cloudflare_zone_id", None)
        self._each(BOOKS)
        self._each(RELEASE)
        self._each(MACHINE)
        self._mailboxes()
        while left := settings.faults(self.values, stack=self.stack):
            for _, why in left:
                self.say(f"  no: {why}")
            again = [one for one in WHOLE if any(_meets(one.key, at) for at, _ in left)]
            if not again:
                raise Ended(f"what is wrong is not asked for here: {left[0][1]}; change it in Pulumi.{self.stack}.yaml")
            self._each(tuple(again))
        return self.values

    def _each(self, questions: tuple[Question, ...]) -> None:
        for question in questions:
            self._one(question)

    def _one(self, question: Question) -> None:
        """Until it is answered with something that the settings take."""
        *folders, last = question.key
        place = self.values
        for folder in folders:
            place = place.setdefault(folder, {})
        before = _shown(place.get(last), question.default)
        while True:
            answer = self._line(question.text, before)
            if not answer:
                self.say("  no: an answer is needed here")
                continue
            place[last] = _value(question.key, answer)
            if place[last] is None:
                del place[last]
            why = self._refused(question.key)
            if not why:
                return
            self.say(f"  no: {why}")

    def _refused(self, key: tuple[str | int, ...]) -> str:
        return next((why for at, why in settings.faults(self.values, stack=self.stack) if at[: len(key)] == key), "")

    def _mailboxes(self) -> None:
        boxes = self.values.setdefault("mailboxes", [])
        boxes[:] = [box for box in boxes if not settings.is_example(box)]
        for known in boxes:
            self.say(f"mailbox {known.get('name')}: stays (take it out of the file by hand)")
        while self._line("watch a mailbox more? yes or no", "no").lower() in ("y", "yes"):
            at = len(boxes)
            box: dict[str, Any] = {}
            boxes.append(box)
            for question in BOX:
                while True:
                    box[question.key[0]] = self._line(question.text, "")
                    why = self._refused(("mailboxes", at, *question.key))
                    if not why:
                        break
                    self.say(f"  no: {why}")
            names = [one["name"] for one in boxes]
            if names.count(box["name"]) > 1 or box["name"] in ("hub-token", "model-key"):
                self.say(f"  no: {box['name']!r} is taken; this mailbox was not added")
                boxes.pop()

    def _line(self, text: str, before: str) -> str:
        try:
            found = self.ask(f"{text}{f' [{before}]' if before else ''}: ").strip()
        except EOFError:
            raise Ended("the answers ended before the questions; nothing was written") from None
        return found or before


def _meets(key: tuple[str, ...], at: tuple[str | int, ...]) -> bool:
    """Whether a fault at this place is the question's, or its group's."""
    return at[: len(key)] == key or key[: len(at)] == at


def _shown(value: Any, default: str | None) -> str:
    """What an empty answer takes: what stands there, but for an example's."""
    if value is None or settings.is_example(value):
        return default or ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " ".join(map(str, value)) or NONE
    return str(value)


def _value(key: tuple[str, ...], answer: str) -> object:
    if key in (one.key for one in BOOKS):
        country = key == ("books_country",)
        return None if answer == NONE else answer.upper() if country else answer
    if key == ("admin_blocks",):
        return [] if answer == NONE else answer.replace(",", " ").split()
    if key == ("paid",):
        return {"yes": True, "y": True, "no": False, "n": False}.get(answer.lower(), answer)
    return int(answer) if answer.isdecimal() and key[0] in ("machine", "budget") else answer


def write(file: Path, values: dict[str, Any]) -> None:
    """The stack's file, whole or not at all; what else stands in it (secrets that Pulumi encrypted) stays."""
    known = yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else {}
    config = {**known.get("config", {}), "oci:region": values["region"], KEY: values}
    text = "# Made by `./just configure`; run it again or change it by hand. No secret stands here in the clear.\n"
    fresh = file.with_name(f".{file.name}.new")
    fresh.write_text(text + yaml.safe_dump({**known, "config": config}, sort_keys=False, allow_unicode=True), "utf-8")
    fresh.replace(file)


def next_steps(stack: str, found: settings.Settings) -> list[str]:
    """What is left to do, as commands."""
    keys = [f"{conventions.PROJECT}:{settings.secret_key(name)}" for name in found.supplied_secrets]
    why = dict.fromkeys(keys, "asks; is kept encrypted")
    if found.names.provider == "cloudflare":
        why["cloudflare:apiToken"] = "may edit DNS in that zone; or CLOUDFLARE_API_TOKEN in the environment"
    return [
        f"pulumi login   # once, by Pulumi {wanted_pulumi()}; docs/infra.md says how to get it, and where to",
        f"pulumi stack init {stack}   # once, in infra/",
        *(f"pulumi config set --stack {stack} --secret {key}   # {words}" for key, words in why.items()),
        f"./just preview {stack}",
    ]


def wanted_pulumi() -> str:
    """The version that the tests run, and that the recipes ask for."""
    locked = (HERE / "engine" / "go.mod").read_text(encoding="utf-8")
    return str(re.findall(r"^require github.com/pulumi/pulumi/pkg/v3 v(\S+)$", locked, re.MULTILINE)[0])


def main(arguments: list[str], folder: Path = HERE) -> int:
    """0; 1 with one line when nothing was written; 2 for a wrong name."""
    if len(arguments) != 1 or not _STACK.fullmatch(arguments[0]):
        print("usage: configure STACK, such as dev or prod: small letters, digits and -, at most 16", file=sys.stderr)
        return 2
    (stack,) = arguments
    file = folder / f"Pulumi.{stack}.yaml"
    example = folder / f"Pulumi.{stack}.yaml.example"
    start = file if file.exists() else example if example.exists() else folder / "Pulumi.prod.yaml.example"
    values = yaml.safe_load(start.read_text(encoding="utf-8")).get("config", {}).get(KEY) or {}
    if start != file:
        values.pop("owner", None)  # the example's
    try:
        found = settings.read(Interview(stack, values, input, lambda line: print(line, flush=True)).hold(), stack=stack)
    except Ended as error:
        print(f"\nconfigure: {error}", file=sys.stderr)
        return 1
    write(file, values)
    print(f"\n{file.name} is written. Next:")
    print("\n".join(f"  {line}" for line in next_steps(stack, found)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
