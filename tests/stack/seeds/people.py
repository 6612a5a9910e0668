# Fed to `odoo shell`: the users that the tests know, each with an API key. Prints one line of JSON at the end.
import json

env = globals()["env"]
company = env.company
company.write(
    {
        "name": "Countersign Test Ltd",
        "email": "office@books.test",
        "vat": "",
        "street": "1 Ledger Lane",
        "city": "Testville",
    }
)
set_parameter = env["ir.config_parameter"].set_param
set_parameter("report.url", "http://127.0.0.1:8069")
set_parameter("web.base.url.freeze", "True")


def ref(name):
    return env.ref(name).id


def user(login, *groups):
    made = (
        env["res.users"]
        .with_context(no_reset_password=True)
        .create(
            {
                "name": login.capitalize(),
                "login": login,
                "email": login + "@books.test",
                "groups_id": [(6, 0, [ref(g) for g in groups])],
            }
        )
    )
    return made, env["res.users.apikeys"].with_user(made)._generate("rpc", "stack tests")


everything = [
    "account.group_account_manager",
    "account.group_account_user",
    "account.group_account_invoice",
    "base.group_system",
    "base.group_erp_manager",
    "base.group_partner_manager",
    "sales_team.group_sale_manager",
]
people = {
    "agent": ["draft_only.group_draft_only"],
    "misled": [
        "draft_only.group_draft_only",
        "account.group_account_invoice",
        "account.group_account_manager",
        "account.group_account_user",
        "base.group_partner_manager",
        "sales_team.group_sale_manager",
    ],
    "exalted": ["draft_only.group_draft_only", *everything],
    "local": ["base.group_user", "account.group_account_invoice"],
    "owner": ["base.group_user", *everything],
    "clerk": ["base.group_user"],
}
keys = {login: user(login, *groups)[1] for login, groups in people.items()}

partner = env["res.partner"].create(
    {"name": "Ada Lovelace Ltd", "email": "ada@customer.test", "vat": "", "is_company": True}
)
vendor = env["res.partner"].create({"name": "Paper Mill", "email": "sales@vendor.test", "is_company": True})
banks = env["res.partner.bank"]
own_bank = banks.create({"acc_number": "DE89370400440532013000", "partner_id": company.partner_id.id})
vendor_bank = banks.create({"acc_number": "GB33BUKB20201555555555", "partner_id": vendor.id})
other_bank = banks.create({"acc_number": "FR7630006000011234567890189", "partner_id": partner.id})
env["account.journal"].search([("type", "=", "bank")], limit=1).bank_account_id = own_bank
product = env["product.product"].create(
    {"name": "Consulting hour", "default_code": "HOUR", "list_price": 120.0, "type": "service"}
)
env.cr.commit()
ids = {
    "partner": partner.id,
    "vendor": vendor.id,
    "own_bank": own_bank.id,
    "vendor_bank": vendor_bank.id,
    "other_bank": other_bank.id,
    "product": product.id,
}
print("SEED=" + json.dumps({"keys": keys, "ids": ids}))
