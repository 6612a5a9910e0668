"""Ways to pay, to have something look paid, and to undo what is."""

from tests.stack.attacks.attack import Attack, active, approved, create, own, posted, write

PAY = [
    create(
        "create a payment",
        "account.payment",
        lambda s: {
            "payment_type": "outbound",
            "partner_type": "supplier",
            "partner_id": s.ids["vendor"],
            "amount": 5.0,
            "journal_id": s.ids["bank"],
        },
    ),
    Attack("post the owner's payment", "account.payment", "action_post", lambda s: [s.payment]),
    write("change the owner's payment", "account.payment", lambda s: [s.payment], lambda s: {"amount": 9999.0}),
    write(
        "turn the owner's payment to another partner",
        "account.payment",
        lambda s: [s.payment],
        lambda s: {"partner_id": s.ids["partner"]},
    ),
    Attack("delete the owner's payment", "account.payment", "unlink", lambda s: [s.payment]),
    create(
        "the wizard that registers payments",
        "account.payment.register",
        lambda s: {"journal_id": s.ids["bank"]},
        active("account.move", posted),
    ),
    Attack(
        "register a payment by the addon",
        "account.move",
        "countersign_register_payment",
        posted,
        lambda s: {**approved(s), "journal": s.ids["bank"], "amount": "1.00", "date": "2026-11-20"},
    ),
    write("write that its draft is paid", "account.move", own, lambda s: {"payment_state": "paid"}),
    Attack("reconcile", "account.move.line", "reconcile", lambda s: s.due),
    Attack(
        "assign an outstanding payment",
        "account.move",
        "js_assign_outstanding_line",
        posted,
        lambda s: {"line_id": s.due[-1]},
    ),
    Attack("undo a reconciliation", "account.partial.reconcile", "unlink", lambda s: [s.part]),
    Attack(
        "undo a reconciliation from the invoice",
        "account.move",
        "js_remove_outstanding_partial",
        posted,
        lambda s: {"partial_id": s.part},
    ),
    Attack(
        "undo the reconciliation of items", "account.move.line", "remove_move_reconcile", lambda s: [s.ids["matched"]]
    ),
    create(
        "create a reconciliation",
        "account.partial.reconcile",
        lambda s: {
            "debit_move_id": s.due[0],
            "credit_move_id": s.due[-1],
            "amount": 1.0,
            "debit_amount_currency": 1.0,
            "credit_amount_currency": 1.0,
        },
    ),
    create(
        "create a full reconciliation", "account.full.reconcile", lambda s: {"reconciled_line_ids": [[6, 0, s.due]]}
    ),
    create(
        "the wizard that undoes reconciliations",
        "account.unreconcile",
        lambda s: {},
        active("account.move.line", lambda s: s.due),
    ),
    create("create a bank statement", "account.bank.statement", lambda s: {"journal_id": s.ids["bank"], "name": "x"}),
    create(
        "create a line of a statement",
        "account.bank.statement.line",
        lambda s: {"statement_id": s.statement, "payment_ref": "x", "amount": 1.0, "date": "2026-11-20"},
    ),
    Attack("post a bank statement", "account.bank.statement", "button_post", lambda s: [s.statement]),
    write(
        "change the entry of a statement", "account.bank.statement.line", lambda s: [s.entry], lambda s: {"amount": 1.0}
    ),
    Attack(
        "match a line of a statement",
        "account.bank.statement.line",
        "reconcile",
        lambda s: [s.entry],
        lambda s: {"lines_vals_list": [{"id": s.due[0]}]},
    ),
    create(
        "create a rule that reconciles",
        "account.reconcile.model",
        lambda s: {"name": "x", "rule_type": "invoice_matching", "auto_reconcile": True},
    ),
]
