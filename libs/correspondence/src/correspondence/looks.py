"""Inline CSS, as far as it decides whether a reader sees a text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

LONGEST_STYLE = 5_000
LONGEST_SHEET = 100_000
LONGEST_RULE = 200
MOST_RULES = 500
MOST_CLASSES = 5
SIDES = ("height", "max-height", "width", "max-width")
PLACES = ("left", "top", "text-indent", "margin-left", "margin-top")
DECIDES = frozenset(
    [
        "display",
        "visibility",
        "opacity",
        "overflow",
        "font",
        "font-size",
        "color",
        "background",
        "background-color",
    ]
).union(SIDES, PLACES)
Colour = tuple[int, int, int]
NAMED: dict[str, Colour] = {
    "white": (255, 255, 255),
    "snow": (255, 250, 250),
    "whitesmoke": (245, 245, 245),
    "black": (0, 0, 0),
    "red": (255, 0, 0),
    "green": (0, 128, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 255, 0),
    "gray": (128, 128, 128),
    "grey": (128, 128, 128),
    "silver": (192, 192, 192),
    "navy": (0, 0, 128),
}
HEX = re.compile(r"#?([0-9a-f]{6}|[0-9a-f]{3})(?:[0-9a-f]{2})?")
RGB = re.compile(r"rgba?\(\s*(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})(?:[\s,/]+([\d.]{1,6}))?\s*\)", re.ASCII)
LENGTH = re.compile(r"(-?[\d.]{1,10})(px|pt|em|rem|ex|%|)", re.ASCII)
NEAR = 24


@dataclass(frozen=True)
class Look:
    """What a text inherits; a colour of None is one that is not known."""

    shown: bool = True
    visible: bool = True
    sized: bool = True
    colour: Colour | None = (0, 0, 0)
    background: Colour | None = (255, 255, 255)

    @property
    def seen(self) -> bool:
        """Whether a reader sees a text that looks like this."""
        if self.colour and self.background:
            distance = sum(abs(a - b) for a, b in zip(self.colour, self.background, strict=True))
            return self.shown and self.visible and self.sized and distance > NEAR
        return self.shown and self.visible and self.sized


def look(parent: Look, attributes: Mapping[str, str], rules: Mapping[str, str]) -> Look:
    """How an element looks inside its parent, by its attributes and the rules of the sheets."""
    css = declarations(_rules_for(attributes, rules) + attributes.get("style", "")[:LONGEST_STYLE])
    given = parent
    if "hidden" in attributes or _removed(css):
        given = replace(given, shown=False)
    if "visibility" in css:
        given = replace(given, visible=css["visibility"] not in ("hidden", "collapse"))
    size = css.get("font-size", css.get("font", ""))
    if length := LENGTH.match(size):
        number = _number(length[1])
        if number == 0 or length[2] in ("px", "pt"):
            given = replace(given, sized=number >= 2)
    behind = css.get("background-color", css.get("background", attributes.get("bgcolor", "")))
    if behind and behind not in ("transparent", "none", "inherit", "initial"):
        given = replace(given, background=_background(behind.lower()))
    front = css.get("color", attributes.get("color", "")).strip().lower()
    if front in ("transparent", "rgba(0,0,0,0)"):
        given = replace(given, colour=given.background)
    elif front and front != "inherit":
        given = replace(given, colour=_colour(front))
    return given


def declarations(css: str) -> dict[str, str]:
    """The declarations of a block; later ones win unless an earlier one is important."""
    found: dict[str, str] = {}
    important: set[str] = set()
    for declaration in _without_comments(css).lower().split(";"):
        name, _, value = declaration.partition(":")
        name, is_important = name.strip(), "!important" in value
        if name not in important or is_important:
            found[name] = value.replace("!important", "").strip()
        if is_important:
            important.add(name)
    return found


def rules_of(sheet: str) -> dict[str, str]:
    """The declarations for each selector that is one class or id, outside of any @ block."""
    rules: dict[str, str] = {}
    depth, selectors = 0, ""
    for piece in re.split(r"([{}])", _without_comments(sheet[:LONGEST_SHEET])):
        if piece == "{":
            depth += 1
        elif piece == "}":
            depth = max(depth - 1, 0)
        elif depth == 0:
            selectors = piece.rpartition(";")[2]
        elif depth == 1 and len(rules) < MOST_RULES:
            kept = [one for one in piece[:LONGEST_STYLE].split(";") if _decides(one)]
            for selector in selectors.split(",")[:MOST_CLASSES]:
                name = selector.strip().lower()
                rules[name] = ";".join([rules.get(name, ""), *kept])[:LONGEST_RULE]
    return rules


def _decides(declaration: str) -> bool:
    return declaration.partition(":")[0].strip().lower() in DECIDES


def _rules_for(attributes: Mapping[str, str], rules: Mapping[str, str]) -> str:
    if not rules:
        return ""
    names = [f".{name}" for name in attributes.get("class", "").lower().split()[:MOST_CLASSES]]
    names.append(f"#{attributes.get('id', '').lower()}")
    return ";".join([*(rules.get(name, "") for name in names), ""])


def _removed(css: Mapping[str, str]) -> bool:
    clipped = "hidden" in css.get("overflow", "")
    flat = [css.get(side, "") for side in SIDES]
    far = [css.get(place, "") for place in PLACES]
    return (
        css.get("display") == "none"
        or (bool(css.get("opacity")) and _number(css["opacity"]) <= 0.05)
        or (clipped and any(side and _number(side) == 0 for side in flat))
        or any(place.startswith("-") and _number(place) <= -500 for place in far)
    )


def _number(text: str) -> float:
    match = re.match(r"-?\d{0,9}(?:\.\d{1,9})?", text, re.ASCII)
    try:
        return float(match.group()) if match else 1.0
    except ValueError:
        return 1.0


def _background(css: str) -> Colour | None:
    if "url(" in css or "gradient" in css:
        return None
    return _colour(css) or next((colour for word in css.split() if (colour := _colour(word))), None)


def _colour(css: str) -> Colour | None:
    if css in NAMED:
        return NAMED[css]
    if match := HEX.fullmatch(css):
        digits = match[1] if len(match[1]) == 6 else "".join(digit * 2 for digit in match[1])
        return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
    if match := RGB.fullmatch(css):
        return min(int(match[1]), 255), min(int(match[2]), 255), min(int(match[3]), 255)
    return None


def _without_comments(css: str) -> str:
    first, *rest = css.split("/*")
    return " ".join([first, *(piece.partition("*/")[2] for piece in rest)])
