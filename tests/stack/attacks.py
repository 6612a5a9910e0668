"""Ways for a draft-only user to post, pay, redirect money or schedule posting, as remote calls. Every one must be denied."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Named = dict[str, Any]


@dataclass(frozen=True)
class Scene:
    """The records that an attack is aimed at."""

    user: int
    invoice: int
    """The user's own draft, as `bill` and `order`."""
    bill: int
    order: int
    items: list[int]
    theirs: int
    """A draft of the owner."""
    posted: int
    due: list[int]
    """The open items of the posted invoice, and of a posted payment of the same partner."""
    part: int
    """A partial reconciliation of the owner."""
    payment: int
    """The owner's draft of a payment."""
    statement: int
    entry: int
    file: int
    ids: dict[str, int] = field(default_factory=dict)
    """By name: partner, vendor, banks, journals, accounts, crons …"""


@dataclass(frozen=True)
class Attack:
    """One remote call. `at` gives the records, None for a method of the model."""

    name: str
    model: str
    method: str
    at: Callable[[Scene], list[int]] | None = None
    named: Callable[[Scene], Named] = lambda s: {}

    def __str__(self) -> str:
        return self.name


def _own(s: Scene) -> list[int]:
    return [s.invoice]


def _posted(s: Scene) -> list[int]:
    return [s.posted]


def _write(name: str, model: str, at: Callable[[Scene], list[int]], vals: Callable[[Scene], Named]) -> Attack:
    return Attack(name, model, "write", at, lambda s: {"vals": vals(s)})


def _create(name: str, model: str, vals: Callable[[Scene], Named], context: Callable[[Scene], Named] | None = None) -> Attack:
    def named(s: Scene) -> Named:
        return {"vals_list": [vals(s)], **({"context": context(s)} if context else {})}

    return Attack(name, model, "create", None, named)


def _move(s: Scene, **other: Any) -> Named:
    line = [0, 0, {"name": "x", "price_unit": 10.0, "quantity": 1}]
    return {"move_type": "out_invoice", "partner_id": s.ids["partner"], "invoice_line_ids": [line], **other}


def _active(model: str, ids: Callable[[Scene], list[int]]) -> Callable[[Scene], Named]:
    return lambda s: {"active_model": model, "active_ids": ids(s), "active_id": ids(s)[0]}


def _approved(s: Scene) -> Named:
    return {"state_sha256": "0" * 64, "approval_digest": "1" * 64}


POST = [
    Attack("action_post", "account.move", "action_post", _own),
    Attack("the old name of action_post", "account.move", "post", _own),
    Attack("the private _post", "account.move", "_post", _own),
    _write("write the state", "account.move", _own, lambda s: {"state": "posted"}),
    Attack(
        "write the state past the checks",
        "account.move",
        "write",
        _own,
        lambda s: {"vals": {"state": "posted"}, "context": {"check_move_validity": False, "force_delete": True}},
    ),
    _write("write automatic posting", "account.move", _own, lambda s: {"auto_post": True}),
    _write("write that it was posted before", "account.move", _own, lambda s: {"posted_before": True}),
    _write("write the approval's digest", "account.move", _own, lambda s: {"countersign_approval": "1" * 64}),
    _write("write that it is cancelled", "account.move", _own, lambda s: {"state": "cancel"}),
    _create("create it posted", "account.move", lambda s: _move(s, state="posted")),
    _create("create it with automatic posting", "account.move", lambda s: _move(s, auto_post=True)),
    _create("create it posted by a default", "account.move", _move, lambda s: {"default_state": "posted"}),
    _create("automatic posting by a default", "account.move", _move, lambda s: {"default_auto_post": True}),
    _create("create it with an approval", "account.move", lambda s: _move(s, countersign_approval="2" * 64)),
    _create("create a journal entry", "account.move", lambda s: {"move_type": "entry", "journal_id": s.ids["misc"]}),
    _create("create a receipt", "account.move", lambda s: _move(s, move_type="out_receipt")),
    _create(
        "the wizard that posts entries",
        "validate.account.move",
        lambda s: {"force_post": True},
        _active("account.move", _own),
    ),
    _create(
        "the wizard that reverses",
        "account.move.reversal",
        lambda s: {"refund_method": "cancel", "move_ids": [[6, 0, [s.posted]]]},
        _active("account.move", _posted),
    ),
    Attack("reset a posted invoice", "account.move", "button_draft", _posted),
    Attack("cancel a posted invoice", "account.move", "button_cancel", _posted),
    Attack("cancel its own draft", "account.move", "button_cancel", _own),
    Attack("delete its own draft", "account.move", "unlink", _own),
    Attack("delete a posted invoice", "account.move", "unlink", _posted),
    _write("change a posted invoice", "account.move", _posted, lambda s: {"ref": "pay elsewhere"}),
    _write("change a draft of the owner", "account.move", lambda s: [s.theirs], lambda s: {"ref": "pay elsewhere"}),
    _write("say of items that they are posted", "account.move.line", lambda s: s.items, lambda s: {"parent_state": "posted"}),
    _write("move items to a posted invoice", "account.move.line", lambda s: s.items[:1], lambda s: {"move_id": s.posted}),
    _write("change an item of a posted invoice", "account.move.line", lambda s: s.due[:1], lambda s: {"name": "x"}),
    _create("add a note to a posted invoice", "account.move.line", lambda s: {"move_id": s.posted, "display_type": "line_note", "name": "x"}),
    _create("add a note to a draft of the owner", "account.move.line", lambda s: {"move_id": s.theirs, "display_type": "line_note", "name": "x"}),
    Attack("delete an item of a posted invoice", "account.move.line", "unlink", lambda s: s.due[:1], lambda s: {"context": {"force_delete": True}}),
    _create("the wizard for automatic entries", "account.automatic.entry.wizard", lambda s: {"action": "change_period", "journal_id": s.ids["misc"], "move_line_ids": [[6, 0, s.due[:1]]]}),
    Attack("post by the addon", "account.move", "countersign_post", _own, _approved),
    Attack("draft something posted by the addon", "account.move", "countersign_draft", None, lambda s: {"external_id": "attack-1", "values": _move(s, state="posted")}),
    Attack("draft posted by the addon and a default", "account.move", "countersign_draft", None, lambda s: {"external_id": "attack-2", "values": _move(s), "context": {"default_state": "posted"}}),
    Attack("change to posted by the addon", "account.move", "countersign_change", _own, lambda s: {"values": {"state": "posted"}}),
    Attack("change the owner's draft by the addon", "account.move", "countersign_change", lambda s: [s.theirs], lambda s: {"values": {"ref": "x"}}),
    Attack("attach to a posted invoice by the addon", "account.move", "countersign_attach", _posted, lambda s: {"external_id": "attack-3", "name": "x.pdf", "content": "eA==", "media_type": "application/pdf"}),
    Attack("print by the addon", "account.move", "countersign_pdf", _posted),
    Attack("confirm a quotation", "sale.order", "action_confirm", lambda s: [s.order]),
    _write("write that a quotation is an order", "sale.order", lambda s: [s.order], lambda s: {"state": "sale"}),
    _create("invoice a quotation by the wizard", "sale.advance.payment.inv", lambda s: {"advance_payment_method": "delivered"}, _active("sale.order", lambda s: [s.order])),
]  # fmt: skip

PAY = [
    _create("create a payment", "account.payment", lambda s: {"payment_type": "outbound", "partner_type": "supplier", "partner_id": s.ids["vendor"], "amount": 5.0, "journal_id": s.ids["bank"]}),
    Attack("post the owner's payment", "account.payment", "action_post", lambda s: [s.payment]),
    _write("change the owner's payment", "account.payment", lambda s: [s.payment], lambda s: {"amount": 9999.0}),
    _write("turn the owner's payment to another partner", "account.payment", lambda s: [s.payment], lambda s: {"partner_id": s.ids["partner"]}),
    Attack("delete the owner's payment", "account.payment", "unlink", lambda s: [s.payment]),
    _create("the wizard that registers payments", "account.payment.register", lambda s: {"journal_id": s.ids["bank"]}, _active("account.move", _posted)),
    Attack("register a payment by the addon", "account.move", "countersign_register_payment", _posted, lambda s: {**_approved(s), "journal": s.ids["bank"], "amount": "1.00", "date": "2026-11-20"}),
    _write("write that its draft is paid", "account.move", _own, lambda s: {"payment_state": "paid"}),
    Attack("reconcile", "account.move.line", "reconcile", lambda s: s.due),
    Attack("assign an outstanding payment", "account.move", "js_assign_outstanding_line", _posted, lambda s: {"line_id": s.due[-1]}),
    Attack("undo a reconciliation", "account.partial.reconcile", "unlink", lambda s: [s.part]),
    Attack("undo a reconciliation from the invoice", "account.move", "js_remove_outstanding_partial", _posted, lambda s: {"partial_id": s.part}),
    Attack("undo the reconciliation of items", "account.move.line", "remove_move_reconcile", lambda s: [s.ids["matched"]]),
    _create("create a reconciliation", "account.partial.reconcile", lambda s: {"debit_move_id": s.due[0], "credit_move_id": s.due[-1], "amount": 1.0, "debit_amount_currency": 1.0, "credit_amount_currency": 1.0}),
    _create("create a full reconciliation", "account.full.reconcile", lambda s: {"reconciled_line_ids": [[6, 0, s.due]]}),
    _create("the wizard that undoes reconciliations", "account.unreconcile", lambda s: {}, _active("account.move.line", lambda s: s.due)),
    _create("create a bank statement", "account.bank.statement", lambda s: {"journal_id": s.ids["bank"], "name": "x"}),
    _create("create a line of a statement", "account.bank.statement.line", lambda s: {"statement_id": s.statement, "payment_ref": "x", "amount": 1.0, "date": "2026-11-20"}),
    Attack("post a bank statement", "account.bank.statement", "button_post", lambda s: [s.statement]),
    _write("change the entry of a statement", "account.bank.statement.line", lambda s: [s.entry], lambda s: {"amount": 1.0}),
    Attack("match a line of a statement", "account.bank.statement.line", "reconcile", lambda s: [s.entry], lambda s: {"lines_vals_list": [{"id": s.due[0]}]}),
    _create("create a rule that reconciles", "account.reconcile.model", lambda s: {"name": "x", "rule_type": "invoice_matching", "auto_reconcile": True}),
]  # fmt: skip

REDIRECT = [
    _create("give a vendor a bank account", "res.partner.bank", lambda s: {"acc_number": "XX1", "partner_id": s.ids["vendor"]}),
    _write("change a vendor's bank account", "res.partner.bank", lambda s: [s.ids["vendor_bank"]], lambda s: {"acc_number": "XX2"}),
    Attack("delete a vendor's bank account", "res.partner.bank", "unlink", lambda s: [s.ids["vendor_bank"]]),
    _write("a bank account by way of the vendor", "res.partner", lambda s: [s.ids["vendor"]], lambda s: {"bank_ids": [[0, 0, {"acc_number": "XX3"}]]}),
    _create("a new partner with a bank account", "res.partner", lambda s: {"name": "x", "bank_ids": [[0, 0, {"acc_number": "XX4"}]]}),
    _write("somebody else's bank account on a bill", "account.move", lambda s: [s.bill], lambda s: {"partner_bank_id": s.ids["other_bank"]}),
    _write("somebody else's bank account on an invoice", "account.move", _own, lambda s: {"partner_bank_id": s.ids["vendor_bank"]}),
    Attack("a bill to somebody else's bank account by the addon", "account.move", "countersign_draft", None, lambda s: {"external_id": "attack-4", "values": _move(s, move_type="in_invoice", partner_id=s.ids["vendor"], partner_bank_id=s.ids["other_bank"])}),
    Attack("a bank account by the addon", "account.move", "countersign_draft", None, lambda s: {"external_id": "attack-5", "model": "res.partner.bank", "values": {"acc_number": "XX5", "partner_id": s.ids["vendor"]}}),
    _write("change the address of a vendor", "res.partner", lambda s: [s.ids["vendor"]], lambda s: {"email": "thief@evil.test"}),
    _write("change the name of the company's partner", "res.partner", lambda s: [s.ids["company_partner"]], lambda s: {"name": "Thief"}),
    _write("change the company", "res.company", lambda s: [1], lambda s: {"name": "Thief"}),
    _write("another bank account for the journal", "account.journal", lambda s: [s.ids["bank"]], lambda s: {"bank_account_id": s.ids["other_bank"]}),
    Attack("another bank account by the journal's method", "account.journal", "set_bank_account", lambda s: [s.ids["cash"]], lambda s: {"acc_number": "XX6"}),
    _create("a new bank journal", "account.journal", lambda s: {"name": "x", "type": "bank", "code": "XXB"}),
    _create("the wizard that sets up a bank", "account.setup.bank.manual.config", lambda s: {"acc_number": "XX7", "bank_id": False, "new_journal_name": "x"}),
    _create("the wizard that merges partners", "base.partner.merge.automatic.wizard", lambda s: {"partner_ids": [[6, 0, [s.ids["partner"], s.ids["vendor"]]]], "dst_partner_id": s.ids["partner"], "state": "selection"}),
    _create("a new partner that is owed elsewhere", "res.partner", lambda s: {"name": "x", "property_account_payable_id": s.ids["account"]}),
    _create("where partners are owed", "ir.property", lambda s: {"name": "x", "type": "many2one", "fields_id": 1}),
    _write("change an account", "account.account", lambda s: [s.ids["account"]], lambda s: {"reconcile": True}),
    _create("a new account", "account.account", lambda s: {"name": "x", "code": "999999", "user_type_id": 1}),
    _create("new payment terms", "account.payment.term", lambda s: {"name": "x"}),
    _write("change a tax", "account.tax", lambda s: [s.ids["tax"]], lambda s: {"amount": 99.0}),
    _create("a new rate of a currency", "res.currency.rate", lambda s: {"currency_id": 1, "rate": 9.0}),
    _write("change a price", "product.product", lambda s: [s.ids["product"]], lambda s: {"list_price": 0.01}),
    _create("attach a file to a posted invoice", "ir.attachment", lambda s: {"name": "INV.pdf", "datas": "eA==", "res_model": "account.move", "res_id": s.posted}),
    _write("change a file of a posted invoice", "ir.attachment", lambda s: [s.file], lambda s: {"datas": "eA=="}),
    _write("change how an invoice is printed", "ir.ui.view", lambda s: [s.ids["view"]], lambda s: {"active": False}),
    _write("change which report is an invoice", "ir.actions.report", lambda s: [s.ids["report"]], lambda s: {"report_name": "x"}),
]  # fmt: skip

LATER = [
    Attack("run the cron that posts", "ir.cron", "method_direct_trigger", lambda s: [s.ids["cron"]]),
    Attack("run the action that posts", "ir.actions.server", "run", lambda s: [s.ids["cron_action"]]),
    _write("change the cron that posts", "ir.cron", lambda s: [s.ids["cron"]], lambda s: {"interval_type": "minutes"}),
    _create("a new cron", "ir.cron", lambda s: {"name": "x", "model_id": s.ids["model"], "state": "code", "code": "model.search([])._post()", "interval_type": "minutes"}),
    _create("a new server action", "ir.actions.server", lambda s: {"name": "x", "model_id": s.ids["model"], "state": "code", "code": "model.search([])._post()"}),
    _write("change a server action", "ir.actions.server", lambda s: [s.ids["cron_action"]], lambda s: {"code": "pass"}),
    Attack("a default for automatic posting", "ir.default", "set", None, lambda s: {"model_name": "account.move", "field_name": "auto_post", "value": True}),
    Attack("a system parameter", "ir.config_parameter", "set_param", None, lambda s: {"key": "countersign.test", "value": "1"}),
    _write("lose its group", "res.users", lambda s: [s.user], lambda s: {"groups_id": [[3, s.ids["group"]]]}),
    _write("lose its group from the other side", "res.groups", lambda s: [s.ids["group"]], lambda s: {"users": [[3, s.user]]}),
    _write("give another user rights", "res.users", lambda s: [s.ids["clerk"]], lambda s: {"groups_id": [[4, s.ids["billing"]]]}),
    _create("a new user", "res.users", lambda s: {"name": "x", "login": "x"}),
    _create("the wizard that changes passwords", "change.password.wizard", lambda s: {"user_ids": [[0, 0, {"user_id": s.ids["owner"], "new_passwd": "x"}]]}),
    _create("a new access right", "ir.model.access", lambda s: {"name": "x", "model_id": s.ids["model"], "perm_write": True}),
    _create("a new record rule", "ir.rule", lambda s: {"name": "x", "model_id": s.ids["model"], "domain_force": "[]"}),
    Attack("uninstall the addon", "ir.module.module", "button_immediate_uninstall", lambda s: [s.ids["addon"]]),
    _write("mark the addon for removal", "ir.module.module", lambda s: [s.ids["addon"]], lambda s: {"state": "to remove"}),
    _create("the settings", "res.config.settings", lambda s: {"group_multi_currency": True}),
    _create("send a mail", "mail.mail", lambda s: {"body_html": "x", "email_to": "a@b.test"}),
    _create("compose a mail", "mail.compose.message", lambda s: {"body": "x", "model": "account.move", "res_id": s.posted}),
    _create("the wizard that sends invoices", "account.invoice.send", lambda s: {}, _active("account.move", _posted)),
    _create("a mail server", "ir.mail_server", lambda s: {"name": "x", "smtp_host": "evil.test"}),
    Attack("deliver a mail", "mail.thread", "message_process", None, lambda s: {"model": "account.move", "message": "From: a@b.test\nTo: c@d.test\n\nx"}),
    _create("a new number range", "ir.sequence", lambda s: {"name": "x"}),
]  # fmt: skip

ATTACKS = [*POST, *PAY, *REDIRECT, *LATER]
