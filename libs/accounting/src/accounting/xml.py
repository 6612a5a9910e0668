"""XML of strangers: no entities, no network, no document type, bounded."""

from __future__ import annotations

from lxml import etree

LARGEST = 10 * 1024 * 1024


class BadXml(ValueError):
    """It is no XML, or XML that asks for more than to be read."""


def parse(content: bytes) -> etree._Element:
    """The root. Raises BadXml."""
    if len(content) > LARGEST:
        raise BadXml(f"it has {len(content)} bytes, over {LARGEST}")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(content, parser=parser)
    except etree.XMLSyntaxError as error:
        raise BadXml(f"it is no XML: {error.msg}") from None
    if root.getroottree().docinfo.doctype:
        raise BadXml("it brings a document type, which no invoice or statement needs")
    return root


def text(element: etree._Element, path: str, names: dict[str, str]) -> str:
    """The text at the first place that the path finds, on one line; empty when there is none."""
    found = element.find(path, names)
    return " ".join((found.text or "").split()) if found is not None else ""
