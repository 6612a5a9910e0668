# Fed to `odoo shell`: what the owner of the books has in them when an attack begins. Prints a line of JSON at the end.
import json

env = globals()["env"]


def ref(name):
    return env.ref(name).id


def one(model, *domain):
    return env[model].search(list(domain), limit=1)


partner, vendor = one("res.partner", ("name", "=", "Ada Lovelace Ltd")), one("res.partner", ("name", "=", "Paper Mill"))
bank, cash, misc = (one("account.journal", ("type", "=", t)) for t in ("bank", "cash", "general"))


def invoice(amount, day="2026-11-02", **other):
    line = (0, 0, {"name": "Work", "price_unit": amount, "quantity": 1, "tax_ids": [(6, 0, [])]})
    return env["account.move"].create(
        {"move_type": "out_invoice", "partner_id": partner.id, "invoice_date": day, "invoice_line_ids": [line], **other}
    )


def payment(amount, kind="inbound", who=partner):
    made = {
        "payment_type": kind,
        "partner_type": "customer" if kind == "inbound" else "supplier",
        "partner_id": who.id,
        "amount": amount,
        "journal_id": bank.id,
    }
    return env["account.payment"].create(made)


def open_items(records):
    return records.mapped("line_ids").filtered(lambda item: item.account_id.internal_type == "receivable")


posted, matched = invoice(500.0), invoice(70.0)
(posted | matched).action_post()
received, matching = payment(120.0), payment(70.0)
(received | matching).action_post()
(open_items(matched) | open_items(matching.move_id)).reconcile()
theirs = invoice(33.0, auto_post=True, date="2026-11-02")
mill = payment(80.0, "outbound", vendor)
statement = env["account.bank.statement"].create(
    {
        "journal_id": bank.id,
        "name": "November",
        "date": "2026-11-20",
        "line_ids": [(0, 0, {"payment_ref": "Ada", "amount": 500.0, "date": "2026-11-20", "partner_id": partner.id})],
    }
)
statement.balance_end_real = statement.balance_end
kept = env["ir.attachment"].create(
    {"name": "order.pdf", "raw": b"%PDF", "res_model": "account.move", "res_id": posted.id}
)
env.cr.commit()
cron = env.ref("account.ir_cron_auto_post_draft_entry")
print(
    "SCENE="
    + json.dumps(
        {
            "theirs": theirs.id,
            "posted": posted.id,
            "due": [open_items(posted).id, open_items(received.move_id).id],
            "part": open_items(matched).matched_credit_ids.id,
            "payment": mill.id,
            "statement": statement.id,
            "entry": statement.line_ids.id,
            "file": kept.id,
            "ids": {
                "matched": open_items(matched).id,
                "bank": bank.id,
                "cash": cash.id,
                "misc": misc.id,
                "company_partner": env.company.partner_id.id,
                "account": one("account.account", ("internal_type", "=", "payable")).id,
                "tax": one("account.tax").id,
                "view": ref("account.report_invoice_document"),
                "report": ref("account.account_invoices"),
                "cron": cron.id,
                "cron_action": cron.ir_actions_server_id.id,
                "model": ref("account.model_account_move"),
                "group": ref("draft_only.group_draft_only"),
                "billing": ref("account.group_account_invoice"),
                "clerk": one("res.users", ("login", "=", "clerk")).id,
                "owner": one("res.users", ("login", "=", "owner")).id,
                "addon": one("ir.module.module", ("name", "=", "draft_only")).id,
                "users": {
                    login: one("res.users", ("login", "=", login)).id
                    for login in ("agent", "misled", "exalted", "owner")
                },
            },
        }
    )
)
