"""Posting what was approved, inside one transaction, on a real Odoo: also when others edit, lie, or come first."""

import base64
import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from books.drafts import Key, NewLine, NewMove
from books.errors import BooksRefused, NotNow
from books.odoo import OdooBooks
from books.reading import move_state
from books.rpc import Rpc, connect
from books.values import Kind, State
from tests.stack.books import Stack
from tests.stack.docker import docker

pytestmark = pytest.mark.stack
NUMBERS = count(1)
DAY = date(2026, 11, 20)


@dataclass(frozen=True)
class Desk:
    """The agent's books, and the interface of the user who posts."""

    stack: Stack
    agent: OdooBooks
    agent_rpc: Rpc
    local: Rpc

    def draft(self, amount: str = "100", kind: Kind = Kind.INVOICE, **other: Any) -> int:
        who = self.stack.ids["partner" if kind is Kind.INVOICE else "vendor"]
        line = NewLine("Work", Decimal(amount), taxes=())
        number = next(NUMBERS)
        new = NewMove(kind, who, (line,), **{"issued": DAY, "reference": f"ref {number}", **other})
        return self.agent.draft(Key(f"posting-{number}"), new).id

    def post(self, move: int, sha256: str, digest: str | None = None) -> Any:
        given = {"state_sha256": sha256, "approval_digest": digest or approval()}
        return self.local.call("account.move", "countersign_post", [move], **given)

    def hash_of(self, move: int) -> str:
        return self.agent.state(move).sha256


def approval() -> str:
    return hashlib.sha256(f"{__name__} {next(NUMBERS)}".encode()).hexdigest()


@pytest.fixture(scope="module")
def desk(books_stack: Stack) -> Iterator[Desk]:
    with closing(connect(books_stack.access("agent"))) as agent, closing(connect(books_stack.access("local"))) as local:
        yield Desk(books_stack, OdooBooks(agent), agent, local)


def test_a_billing_user_posts_the_agents_draft(desk: Desk) -> None:
    move, digest = desk.draft(), approval()
    told = desk.post(move, desk.hash_of(move), digest)
    assert (told["state"], told["approval"], told["fresh"]) == ("posted", digest, True)
    [[state, kept, total]] = desk.stack.sql(
        f"SELECT state, countersign_approval, amount_total FROM account_move WHERE id = {move}"
    )
    assert (state, kept, Decimal(total)) == ("posted", digest, Decimal(100))


def test_a_user_without_billing_posts_nothing(desk: Desk) -> None:
    move = desk.draft()
    given = {"state_sha256": desk.hash_of(move), "approval_digest": approval()}
    with closing(connect(desk.stack.access("clerk"))) as clerk, pytest.raises(BooksRefused):
        clerk.call("account.move", "countersign_post", [move], **given)


def test_two_who_post_the_same_approval_at_once_post_once(desk: Desk) -> None:
    move, digest = desk.draft(), approval()
    seen = desk.hash_of(move)
    with ThreadPoolExecutor(5) as pool:
        told = list(pool.map(lambda _: desk.post(move, seen, digest), range(5)))
    assert sum(t["fresh"] for t in told) == 1
    assert {t["number"] for t in told} == {told[0]["number"]}


def test_two_approvals_at_once_post_one(desk: Desk) -> None:
    move = desk.draft()
    seen = desk.hash_of(move)

    def attempt(_: int) -> str:
        try:
            return str(desk.post(move, seen)["approval"])
        except (BooksRefused, NotNow) as error:
            return type(error).__name__

    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(attempt, range(4)))
    assert len([t for t in told if len(t) == 64]) == 1


NOTE = """
INSERT INTO account_move_line (move_id, name, display_type, company_currency_id, currency_id, sequence)
VALUES ({move}, 'pay to XX1', 'line_note', 2, 2, 99)
"""


@pytest.mark.parametrize(
    ("edit", "what"),
    [
        ("UPDATE account_move SET narration = 'pay to XX1' WHERE id = {move}", "the text on the invoice"),
        ("UPDATE account_move_line SET name = 'Other' WHERE id = {item}", "a line's label"),
        ("UPDATE account_move_line SET quantity = 2 WHERE id = {item}", "a line's quantity"),
        ("UPDATE account_move SET invoice_date_due = '2027-01-01' WHERE id = {move}", "when it is due"),
        ("UPDATE account_move SET partner_bank_id = {own_bank} WHERE id = {move}", "the bank account"),
        ("UPDATE res_partner SET street = '13 Thief Lane' WHERE id = {partner}", "the customer's address"),
        ("UPDATE res_partner SET vat = 'XX' WHERE id = {partner}", "the customer's tax number"),
        (NOTE, "a note below the lines"),
    ],
    ids=lambda value: None if "{" in value else value,
)
def test_what_changed_after_the_approval_is_refused(desk: Desk, edit: str, what: str) -> None:
    move = desk.draft()
    seen = desk.hash_of(move)
    [[item]] = desk.stack.sql(f"SELECT id FROM account_move_line WHERE move_id = {move} AND name = 'Work'")
    desk.stack.sql(edit.format(move=move, item=item, **desk.stack.ids))
    with pytest.raises(BooksRefused, match="changed"):
        desk.post(move, seen)
    assert desk.agent.invoice(move).state is State.DRAFT


EDITS = {
    "the move": "move.write({{'ref': 'meanwhile'}})",
    "an item alone": "move.line_ids[0].write({{'name': 'meanwhile'}})",
    "a new item": "env['account.move.line'].create({{'move_id': move.id, 'display_type': 'line_note', 'name': 'x'}})",
    "the partner": "move.partner_id.write({{'street': 'meanwhile {move}'}})",
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_an_edit_that_is_under_way_is_waited_for_and_refused(desk: Desk, edit: str) -> None:
    """The edit is made, not committed, while posting begins; it commits when posting waits for it."""
    move = desk.draft()
    seen = desk.hash_of(move)
    script = f"""
import time
move = env["account.move"].browse({move})
{edit.format(move=move)}
env["account.move"].flush()
watch = env.registry.cursor()
for _ in range(200):
    watch.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    if watch.fetchone()[0]:
        break
    watch.rollback()
    time.sleep(0.05)
else:
    print("NOBODY WAITED")
env.cr.commit()
print("COMMITTED")
"""
    with ThreadPoolExecutor(1) as pool:
        editing = pool.submit(desk.stack.shell, script)
        wait_for_edit(desk, move)
        with pytest.raises(BooksRefused, match="changed"):
            desk.post(move, seen)
        said = editing.result()
    assert "COMMITTED" in said
    assert "NOBODY WAITED" not in said
    assert desk.agent.invoice(move).state is State.DRAFT


def wait_for_edit(desk: Desk, move: int) -> None:
    """Until another transaction holds a row of the move, its items or its partner."""
    held = (
        "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.mode = 'RowExclusiveLock' "
        "AND l.relation IN ('account_move'::regclass, 'account_move_line'::regclass, 'res_partner'::regclass) "
        "AND a.state = 'idle in transaction'"
    )
    for _ in range(300):
        if int(desk.stack.sql(held)[0][0]):
            return
    raise AssertionError("the edit did not begin")


def test_a_total_that_its_items_do_not_make_is_refused(desk: Desk) -> None:
    move = desk.draft()
    desk.stack.sql(f"UPDATE account_move SET amount_total = 1 WHERE id = {move}")
    with pytest.raises(BooksRefused, match="bad-value"):
        desk.post(move, desk.hash_of(move))


def test_a_draft_without_a_date_is_refused(desk: Desk) -> None:
    move = desk.draft()
    desk.stack.sql(f"UPDATE account_move SET invoice_date = NULL WHERE id = {move}")
    with pytest.raises(BooksRefused, match="bad-value"):
        desk.post(move, desk.hash_of(move))


def test_posting_that_would_move_the_date_is_undone(desk: Desk) -> None:
    """A tax lock date makes Odoo choose another day while it posts: that is not what was approved."""
    who = desk.stack.ids["partner"]
    line = NewLine("Hour", Decimal(100), product=desk.stack.ids["product"])
    new = NewMove(Kind.INVOICE, who, (line,), issued=date(2026, 9, 1))
    move = desk.agent.draft(Key(f"posting-{next(NUMBERS)}"), new).id
    seen = desk.hash_of(move)
    desk.stack.sql("UPDATE res_company SET tax_lock_date = '2026-10-31'")
    try:
        with pytest.raises(BooksRefused, match="changed"):
            desk.post(move, seen)
    finally:
        desk.stack.sql("UPDATE res_company SET tax_lock_date = NULL")
    assert desk.agent.invoice(move).state is State.DRAFT


@pytest.mark.parametrize("wrong", ["", "0" * 63, "G" * 64, "A" * 64, None, 7])
def test_a_hash_that_is_none_is_refused(desk: Desk, wrong: object) -> None:
    move = desk.draft()
    given = {"state_sha256": wrong, "approval_digest": approval()}
    with pytest.raises(BooksRefused, match="bad-value"):
        desk.local.call("account.move", "countersign_post", [move], **given)


def test_a_payment_goes_to_the_bills_own_bank_account(desk: Desk) -> None:
    move = desk.draft(kind=Kind.BILL)
    desk.agent_rpc.call("account.move", "write", [move], vals={"partner_bank_id": desk.stack.ids["vendor_bank"]})
    seen = desk.agent.state(move)
    assert seen.content["bank"][1] == "GB33BUKB20201555555555"
    desk.post(move, seen.sha256)
    owing = move_state(desk.local.call("account.move", "countersign_state", [move]))
    given = {"state_sha256": owing.sha256, "approval_digest": approval(), "journal": "BNK1", "amount": "100.00"}
    paid = desk.local.call("account.move", "countersign_register_payment", [move], **given, date="2026-11-24")
    assert paid["payment_state"] in ("paid", "in_payment")
    [[bank, amount]] = desk.stack.sql(
        f"SELECT p.partner_bank_id, p.amount FROM account_payment p WHERE p.countersign_invoice_id = {move}"
    )
    assert (int(bank), Decimal(amount)) == (desk.stack.ids["vendor_bank"], Decimal(100))


def test_two_payments_at_once_do_not_pay_twice(desk: Desk) -> None:
    move = desk.draft()
    desk.post(move, desk.hash_of(move))
    seen = desk.hash_of(move)

    def pay(digest: str) -> bool:
        given = {"state_sha256": seen, "approval_digest": digest, "journal": "BNK1", "amount": "100.00"}
        try:
            told = desk.local.call("account.move", "countersign_register_payment", [move], **given, date="2026-11-24")
        except (BooksRefused, NotNow):
            return False
        return bool(told["fresh"])

    same = approval()
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(pay, [same, same, approval(), approval()])) == 1
    [[payments, total]] = desk.stack.sql(
        f"SELECT count(*), sum(amount) FROM account_payment WHERE countersign_invoice_id = {move}"
    )
    assert (int(payments), Decimal(total)) == (1, Decimal(100))


def test_the_pdf_is_printed_from_the_record_and_not_from_a_planted_file(desk: Desk) -> None:
    """The report keeps its prints by name; a draft-only user may attach to its draft, and guess the name."""
    move = desk.draft("123.45")
    posted = desk.post(move, desk.hash_of(move))
    planted = posted["number"].replace("/", "_") + ".pdf"
    desk.stack.shell(
        f"agent = env['res.users'].search([('login', '=', 'agent')])\n"
        f"env['ir.attachment'].create({{'name': {planted!r}, 'raw': b'%PDF-1.4 planted', 'res_model': 'account.move', "
        f"'res_id': {move}}})\n"
        f"env.cr.execute('UPDATE ir_attachment SET create_uid = %s WHERE name = %s', [agent.id, {planted!r}])\n"
        f"env['ir.actions.report'].search([('report_name', '=', 'account.report_invoice_with_payments')])"
        f".write({{'attachment_use': True}})\nenv.cr.commit()\n"
    )
    told = desk.local.call("account.move", "countersign_pdf", [move])
    pdf = base64.b64decode(told["pdf"])
    assert b"planted" not in pdf
    assert told["number"] == posted["number"] != ""
    pages = "import sys, io, PyPDF2; print(PyPDF2.PdfFileReader(io.BytesIO(sys.stdin.buffer.read())).getNumPages())"
    assert docker("exec", "-i", f"{desk.stack.name}-odoo", "python3", "-W", "ignore", "-c", pages, feed=pdf) == "1"


def test_a_person_may_still_post_in_odoo(desk: Desk) -> None:
    move = desk.draft()
    with closing(connect(desk.stack.access("owner"))) as owner:
        owner.call("account.move", "action_post", [move])
    assert desk.agent.invoice(move).state is State.POSTED
    with pytest.raises(BooksRefused, match="other-approval"):
        desk.post(move, "0" * 64)


def test_what_odoo_mails_by_itself_never_leaves(desk: Desk) -> None:
    """Its digest to its own users, from two hours after the database was made: queued, and no server takes it."""
    desk.stack.shell(
        "env['digest.digest'].search([]).write({'next_run_date': '2020-01-01'})\n"
        "env['digest.digest']._cron_send_digest_email()\nenv['mail.mail'].process_email_queue()\nenv.cr.commit()\n"
    )
    told = desk.stack.sql("SELECT DISTINCT state FROM mail_mail")
    assert told == [["exception"]], "they were made, and every one of them failed"


def mailed(desk: Desk, move: int) -> int:
    """How many mails, waiting or gone, were made of what is said on this move."""
    [[count]] = desk.stack.sql(
        "SELECT count(*) FROM mail_message g LEFT JOIN mail_mail m ON m.mail_message_id = g.id "
        "LEFT JOIN mail_message_res_partner_needaction_rel n ON n.mail_message_id = g.id "
        f"WHERE g.model = 'account.move' AND g.res_id = {move} AND (m.id IS NOT NULL OR n.notification_type = 'email')"
    )
    return int(count)


def test_notes_drafts_and_their_posting_mail_nobody(desk: Desk) -> None:
    move = desk.draft()
    partner = int(desk.stack.sql(f"SELECT partner_id FROM account_move WHERE id = {move}")[0][0])
    desk.agent.remark(Key(f"note-{next(NUMBERS)}"), move, "See the thread.")
    with pytest.raises(BooksRefused):
        desk.agent_rpc.call("account.move", "message_post", [move], body="Pay me", partner_ids=[partner])
    desk.post(move, desk.hash_of(move))
    assert desk.stack.sql(f"SELECT count(*) FROM mail_message WHERE model='account.move' AND res_id={move}") != [["0"]]
    assert mailed(desk, move) == 0
    drafters = "SELECT u.id FROM res_users u JOIN res_groups_users_rel r ON r.uid = u.id JOIN ir_model_data d "
    drafters += "ON d.model = 'res.groups' AND d.res_id = r.gid WHERE d.module = 'draft_only'"
    assert desk.stack.sql(f"SELECT count(*) FROM mail_mail WHERE create_uid IN ({drafters})") == [["0"]]
    with closing(connect(desk.stack.access("owner"))) as owner:
        owner.call("account.move", "message_post", [move], body="Thank you", partner_ids=[partner])
    assert mailed(desk, move) == 1, "a person's word to the customer is a mail, and it is seen here"


def test_a_note_is_text(desk: Desk) -> None:
    move = desk.draft()
    left = desk.agent.remark(Key(f"note-{next(NUMBERS)}"), move, "<img src=x onerror=alert(1)>\nsecond")
    [[body]] = desk.stack.sql(f"SELECT body FROM mail_message WHERE id = {left.id}")
    assert "<img" not in body
    assert "&lt;img" in body


def test_a_partner_is_entered_with_its_address_and_nothing_else(desk: Desk) -> None:
    payable = desk.stack.sql("SELECT id FROM account_account WHERE internal_type = 'payable' LIMIT 1")[0][0]
    context = {"default_property_account_payable_id": int(payable), "default_bank_ids": [[0, 0, {"acc_number": "X9"}]]}
    vals = {"name": "By default"}
    [made] = desk.agent_rpc.call("res.partner", "create", None, vals_list=[vals], context=context)
    assert desk.stack.sql(f"SELECT count(*) FROM ir_property WHERE res_id = 'res.partner,{made}'") == [["0"]]
    assert desk.stack.sql(f"SELECT count(*) FROM res_partner_bank WHERE partner_id = {made}") == [["0"]]
