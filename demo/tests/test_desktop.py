"""A browser is opened only where somebody would see it."""

import pytest

from demo.desktop import has_a_desktop


@pytest.mark.parametrize(
    ("platform", "environment", "seen"),
    [
        ("linux", {}, False),
        ("linux", {"DISPLAY": ""}, False),
        ("linux", {"DISPLAY": ":0"}, True),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, True),
        ("darwin", {}, True),
    ],
)
def test_a_browser_is_opened_where_there_is_a_desktop(platform: str, environment: dict[str, str], seen: bool) -> None:
    assert has_a_desktop(platform, environment) is seen
