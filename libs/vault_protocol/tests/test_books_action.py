"""Acts on the books: the digest covers every field, an amount has one spelling, what does not add up is no action."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from libs.vault_protocol.tests import made

from vault_protocol import request, summary
from vault_protocol.action import BadAction, InvoiceLine, Journal, Party, PostInvoice, RegisterPayment, action_of
from vault_protocol.action_base import spell
from vault_protocol.errors import MalformedNote
from vault_protocol.request import Request

LINE = {"description": "Consulting", "quantity": "2.00", "unit_price": "100.00", "taxes": "15 %", "subtotal": "200.00"}
INVOICE: dict[str, Any] = {
    "account": "books", "record": 42, "move_type": "out_invoice",
    "partner": {"id": 7, "name": "Jane Example", "vat": "DE123"}, "reference": "PO 1",
    "invoice_date": "2026-11-23", "due_date": "2026-12-23", "currency": "EUR",
    "lines": [LINE, {**LINE, "description": "Travel"}],
    "untaxed": "400.00", "tax": "60.00", "total": "460.00", "bank_account": "DE02120300000000202051",
    "state_sha256": "a" * 64,
}  # fmt: skip
PAYMENT: dict[str, Any] = {
    "account": "books", "record": 42, "direction": "outbound", "partner": {"id": 7, "name": "Jane Example"},
    "document": "BILL/2026/11/0001", "reference": "2026-17", "journal": {"id": 9, "name": "Bank"}, "amount": "100.00",
    "currency": "EUR", "date": "2026-11-23", "residual": "460.00", "bank_account": "DE02120300000000202051",
    "state_sha256": "a" * 64,
}  # fmt: skip
CHANGED_INVOICE: dict[str, Any] = {
    "account": "other", "record": 43, "move_type": "out_refund", "partner": Party(id=8, name="Jane Example"),
    "reference": "PO 2", "invoice_date": "2026-11-24", "due_date": "2026-12-24", "currency": "USD",
    "lines": (InvoiceLine.model_validate(LINE),),
    "untaxed": "400.01", "tax": "60.01", "total": "460.01", "bank_account": "", "state_sha256": "b" * 64,
}  # fmt: skip
CHANGED_PAYMENT: dict[str, Any] = {
    "account": "other", "record": 43, "direction": "inbound", "partner": Party(id=7, name="Jane Examples"),
    "document": "BILL/2026/11/0002", "reference": "", "journal": Journal(id=9, name="Cash"), "amount": "100.01",
    "currency": "USD", "date": "2026-11-24", "residual": "460.01", "bank_account": "", "state_sha256": "b" * 64,
}  # fmt: skip


def invoice(**changes: Any) -> PostInvoice:
    return PostInvoice.model_validate({**INVOICE, **changes})


def payment(**changes: Any) -> RegisterPayment:
    return RegisterPayment.model_validate({**PAYMENT, **changes})


@pytest.mark.parametrize(
    ("kind", "fields", "changed"),
    [(PostInvoice, INVOICE, CHANGED_INVOICE), (RegisterPayment, PAYMENT, CHANGED_PAYMENT)],
    ids=["invoice", "payment"],
)
def test_the_digest_covers_every_field(kind: Any, fields: dict[str, Any], changed: dict[str, Any]) -> None:
    """By model_construct, so that a sum that no longer fits is no way out."""
    assert changed.keys() | {"type"} == kind.model_fields.keys()
    whole = kind.model_validate(fields)
    digests = {whole.model_copy(update={name: value}).digest for name, value in changed.items()}
    assert len(digests | {whole.digest}) == len(changed) + 1


@pytest.mark.parametrize("field", LINE)
def test_the_digest_covers_every_field_of_a_line(field: str) -> None:
    (line,) = invoice(lines=[LINE], untaxed="200.00", tax="60.00", total="260.00").lines
    other = {"description": "x", "taxes": "0 %"}.get(field, "3.00")
    whole = invoice()
    assert whole.model_copy(update={"lines": (line.model_copy(update={field: other}),)}).digest != (
        whole.model_copy(update={"lines": (line,)}).digest
    )


@pytest.mark.parametrize(
    "amount", ["1", "1.0", "1.000", "1.10000", "01.00", "+1.00", "-0.00", "1e2", "1,00", "NaN", ""]
)
def test_an_amount_has_one_spelling(amount: str) -> None:
    with pytest.raises(BadAction, match=r"spelled as in 1234\.50"):
        action_of({"type": "register_payment", **PAYMENT, "amount": amount})


def test_an_amount_is_never_a_number() -> None:
    for amount in (100, 100.0, Decimal("100.00")):
        with pytest.raises(BadAction, match="amount: Input should be a valid string"):
            action_of({"type": "register_payment", **PAYMENT, "amount": amount})


@given(st.decimals(min_value=-(10**12), max_value=10**12, allow_nan=False, allow_infinity=False, places=4))
def test_every_decimal_is_spelled_as_an_amount_of_the_same_value(value: Decimal) -> None:
    assert Decimal(spell(value)) == value
    assert spell(Decimal(spell(value))) == spell(value)
    payment(amount="1.00", residual=spell(abs(value) + 1))


@pytest.mark.parametrize(
    ("kind", "changes", "reason"),
    [
        ("invoice", {"untaxed": "399.99", "total": "459.99"}, "the lines do not add up"),
        ("invoice", {"total": "460.01"}, "do not add up to the total"),
        ("invoice", {"lines": []}, "lines: Tuple should have at least 1 item"),
        ("invoice", {"invoice_date": "23.11.2026"}, "^invoice_date"),
        ("invoice", {"due_date": "2026-02-30"}, "^due_date"),
        ("invoice", {"currency": "eur"}, "^currency"),
        ("invoice", {"move_type": "entry"}, "^move_type"),
        ("invoice", {"record": 0}, "^record"),
        ("invoice", {"note": "x"}, "^note: Extra inputs"),
        ("payment", {"amount": "460.01"}, "does not fit what is open"),
        ("payment", {"amount": "0.00"}, "does not fit what is open"),
        ("payment", {"amount": "-1.00"}, "does not fit what is open"),
        ("payment", {"journal": {"id": 9, "name": ""}}, "^journal"),
        ("payment", {"partner": {"id": 7, "name": "J\u202ex"}}, "U\\+202E"),
    ],
)
def test_what_must_not_exist_is_no_action(kind: str, changes: dict[str, Any], reason: str) -> None:
    fields = {"type": "post_invoice", **INVOICE} if kind == "invoice" else {"type": "register_payment", **PAYMENT}
    with pytest.raises(BadAction, match=reason):
        action_of({**fields, **changes})


@pytest.mark.parametrize("action", [invoice(), payment()], ids=["invoice", "payment"])
def test_an_act_on_the_books_is_read_back_from_its_note(action: PostInvoice | RegisterPayment) -> None:
    note = request.put(made.task().note, Request(made.TOKEN, action, ("new payee",), ("the order",)))
    found = request.read(note)
    assert found == Request(made.TOKEN, action, ("new payee",), ("the order",))
    assert note.front.words("action") == action.type


def test_a_note_says_in_words_everything_that_its_digest_covers() -> None:
    told = summary.text(invoice())
    for words in (
        "post a customer invoice",
        "42",
        "Jane Example",
        "DE123",
        "PO 1",
        "2026-11-23",
        "2026-12-23",
        "2.00 × 100.00 = 200.00",
        "15 %",
        "400.00 EUR",
        "60.00 EUR",
        "460.00 EUR",
        "DE02120300000000202051",
    ):
        assert words in told  # fmt: skip
    paid = summary.text(payment())
    for words in ("went out", "BILL/2026/11/0001", "2026-17", "Bank", "100.00 EUR of 460.00 open", "2026-11-23"):
        assert words in paid


@pytest.mark.parametrize(("true", "lie"), [("460.00 EUR", "46.00 EUR"), ("Jane Example", "Bob"), ("## Summary\n", "")])
def test_a_summary_that_says_something_else_than_the_action_is_refused(true: str, lie: str) -> None:
    note = request.put(made.task().note, Request(made.TOKEN, invoice()))
    head, action, rest = note.body.partition("## Action")
    if lie:
        head = head.replace(true, lie)
    else:
        head = head[: head.index("## Summary")]
    with pytest.raises(MalformedNote, match="the summary does not say what the action says"):
        request.read(note.with_body(head + action + rest))


def test_a_mail_has_no_summary_section() -> None:
    assert "## Summary" not in request.render(Request(made.TOKEN, made.mail()))
    lying = request.render(Request(made.TOKEN, made.mail())).replace(
        "## Action", "## Summary\n\n```text\nx\n```\n\n## Action"
    )
    note = made.drafted(made.task())
    with pytest.raises(MalformedNote, match="the summary does not say"):
        request.read(note.with_body(lying))
