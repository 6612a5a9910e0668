"""The shipped monitors, with addresses on this machine."""

from monitor.settings import MONITORS
from monitor.wanted import parse

VALUES = {
    **dict.fromkeys(
        ("HUB", "HUB_PUBLIC", "CLOUD", "BOOKS", "BOOKS_PUBLIC", "MONITOR", "METRICS"), "http://127.0.0.1:9"
    ),
    **dict.fromkeys(("PROXY_HOST", "WAY_OUT_HOST"), "127.0.0.1"),
    **dict.fromkeys(("PROXY_PORT", "WAY_OUT_PORT"), "9"),
}
TEXT = MONITORS.read_text(encoding="utf-8")
WANTED = parse(TEXT, VALUES)
SECRET = bytes(range(32))
