"""HTML to the text a reader sees. Nothing is fetched; hidden text is left out and reported."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from correspondence.links import address_to_show, is_remote, shows_another_site
from correspondence.looks import Look, look, rules_of
from correspondence.oddity import Oddity
from correspondence.page import Page
from correspondence.tags import Close, Open, Text, tokens

VOID = frozenset(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "wbr"])
PARAGRAPH = frozenset(["p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote", "pre", "dl"])
BLOCK = PARAGRAPH.union(
    ["address", "article", "body", "center", "dd", "div", "dt", "fieldset", "footer", "form", "header", "hr"],
    ["html", "legend", "li", "main", "nav", "section", "tr", "option", "caption", "figure", "tbody", "thead"],
)
UNSEEN = frozenset(["script", "style", "title", "iframe", "noembed", "noframes"])
# A start tag ends these elements where their end tag may be left out.
ENDS = {
    "li": frozenset(["li"]),
    "td": frozenset(["td", "th"]),
    "th": frozenset(["td", "th"]),
    "tr": frozenset(["tr", "td", "th"]),
    "option": frozenset(["option"]),
    "dt": frozenset(["dt", "dd"]),
    "dd": frozenset(["dt", "dd"]),
}
WALLS = frozenset(["table", "td", "th", "ul", "ol", "dl"])
LOOK_BACK = 30
LOADING = ("src", "background", "poster", "data")


class _Element(NamedTuple):
    name: str
    look: Look
    quoting: bool


def html_to_text(source: str, found: set[Oddity]) -> str:
    """The text of a document, quotes of earlier mails marked with > as plain mails mark them."""
    stream = list(tokens(source, found))
    sheets = "".join(token.text for token in stream if isinstance(token, Text) and token.raw == "style")
    if "@import" in sheets or _loads(sheets):
        found.add(Oddity.REMOTE_CONTENT)
    reader = _Reader(rules_of(sheets), found)
    for token in stream:
        match token:
            case Text(text, raw):
                reader.text(text, raw)
            case Open(name, attributes):
                reader.open(name, attributes)
            case Close(name):
                reader.close(name)
    reader.end_link()
    return reader.page.text()


def _loads(css: str) -> bool:
    return any(is_remote(piece.lstrip("'\" ")) for piece in css.lower().split("url(")[1:])


class _Reader:
    def __init__(self, rules: dict[str, str], found: set[Oddity]) -> None:
        self.page = Page()
        self.rules = rules
        self.found = found
        self.stack = [_Element("", Look(), False)]
        self.open_tags: Counter[str] = Counter()
        self.link: tuple[str, list[str]] | None = None

    def text(self, text: str, raw: str) -> None:
        if raw in UNSEEN:
            return
        if not self.stack[-1].look.seen:
            if text.strip():
                self.found.add(Oddity.HIDDEN_HTML_TEXT)
            return
        self.page.write(text, keep=self.open_tags["pre"] > 0)
        if self.link:
            self.link[1].append(text)

    def open(self, name: str, attributes: dict[str, str]) -> None:
        if attributes:
            self._report_loading(name, attributes)
        ends = ENDS.get(name, frozenset(["p"]) if name in BLOCK else frozenset())
        while any(self.open_tags[ended] for ended in ends) and self._end_implied(ends):
            pass
        looks = look(self.stack[-1].look, attributes, self.rules) if attributes else self.stack[-1].look
        self._break(name)
        if name == "a":
            self.end_link()
            self.link = (attributes.get("href", ""), []) if looks.seen else None
        elif name == "li" and looks.seen:
            self.page.write("- ")
        elif name in ("td", "th"):
            self.page.gap()
        elif name == "img" and attributes.get("alt", "").strip():
            self.stack.append(_Element(name, looks, False))
            self.text(f"[{attributes['alt'].strip()[:200]}]", "")
            self.stack.pop()
        if name not in VOID:
            quoting = name == "blockquote" and _quotes_a_mail(attributes)
            self.page.quote += quoting
            self.open_tags[name] += 1
            self.stack.append(_Element(name, looks, quoting))

    def close(self, name: str) -> None:
        if name in ("br", "p") and not self.open_tags[name]:
            self._break(name)
        if not self.open_tags[name]:
            return
        for back in range(1, min(LOOK_BACK, len(self.stack)) + 1):
            element = self.stack[-back]
            if element.name == name:
                for _ in range(back):
                    self._pop()
                return
            if element.name in ("td", "th", "table") and name not in (
                "table",
                "tr",
                "td",
                "th",
                "tbody",
                "body",
                "html",
            ):
                return

    def end_link(self) -> None:
        if self.link:
            url, shown = self.link[0][:2_000], "".join(self.link[1])[:2_000].strip()
            self.link = None
            if shows_another_site(url, shown):
                self.found.add(Oddity.LINK_DIFFERS)
            if shown and (address := address_to_show(url, shown)):
                self.page.write(f" <{address}>")

    def _end_implied(self, ends: frozenset[str]) -> bool:
        for back in range(1, min(LOOK_BACK, len(self.stack)) + 1):
            name = self.stack[-back].name
            if name in ends:
                for _ in range(back):
                    self._pop()
                return True
            if name in WALLS:
                return False
        return False

    def _pop(self) -> None:
        element = self.stack.pop()
        self.open_tags[element.name] -= 1
        if element.name == "a":
            self.end_link()
        self._break(element.name)
        self.page.quote -= element.quoting

    def _break(self, name: str) -> None:
        if name == "br":
            self.page.end_line(always=True)
        elif name in PARAGRAPH:
            self.page.paragraph()
        elif name in BLOCK:
            self.page.end_line()

    def _report_loading(self, name: str, attributes: dict[str, str]) -> None:
        if (
            any(is_remote(attributes.get(key, "")) for key in LOADING)
            or _loads(attributes.get("style", ""))
            or ("srcset" in attributes and "//" in attributes["srcset"])
            or (name == "link" and is_remote(attributes.get("href", "")))
        ):
            self.found.add(Oddity.REMOTE_CONTENT)


def _quotes_a_mail(attributes: dict[str, str]) -> bool:
    marks = f"{attributes.get('type', '')} {attributes.get('class', '')}".lower()
    return "cite" in marks or "quote" in marks or "border-left" in attributes.get("style", "").lower()
