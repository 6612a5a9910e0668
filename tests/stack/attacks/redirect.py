"""Ways to have money go elsewhere, or an invoice say so."""

from tests.stack.attacks.attack import Attack, create, move, own, write

REDIRECT = [
    create(
        "give a vendor a bank account",
        "res.partner.bank",
        lambda s: {"acc_number": "XX1", "partner_id": s.ids["vendor"]},
    ),
    write(
        "change a vendor's bank account",
        "res.partner.bank",
        lambda s: [s.ids["vendor_bank"]],
        lambda s: {"acc_number": "XX2"},
    ),
    Attack("delete a vendor's bank account", "res.partner.bank", "unlink", lambda s: [s.ids["vendor_bank"]]),
    write(
        "a bank account by way of the vendor",
        "res.partner",
        lambda s: [s.ids["vendor"]],
        lambda s: {"bank_ids": [[0, 0, {"acc_number": "XX3"}]]},
    ),
    create(
        "a new partner with a bank account",
        "res.partner",
        lambda s: {"name": "x", "bank_ids": [[0, 0, {"acc_number": "XX4"}]]},
    ),
    write(
        "somebody else's bank account on a bill",
        "account.move",
        lambda s: [s.bill],
        lambda s: {"partner_bank_id": s.ids["other_bank"]},
    ),
    write(
        "somebody else's bank account on an invoice",
        "account.move",
        own,
        lambda s: {"partner_bank_id": s.ids["vendor_bank"]},
    ),
    Attack(
        "a bill to somebody else's bank account by the addon",
        "account.move",
        "countersign_draft",
        None,
        lambda s: {
            "external_id": "attack-4",
            "values": move(s, move_type="in_invoice", partner_id=s.ids["vendor"], partner_bank_id=s.ids["other_bank"]),
        },
    ),
    Attack(
        "a bank account by the addon",
        "account.move",
        "countersign_draft",
        None,
        lambda s: {
            "external_id": "attack-5",
            "model": "res.partner.bank",
            "values": {"acc_number": "XX5", "partner_id": s.ids["vendor"]},
        },
    ),
    write(
        "change the address of a vendor",
        "res.partner",
        lambda s: [s.ids["vendor"]],
        lambda s: {"email": "thief@evil.test"},
    ),
    write(
        "change the name of the company's partner",
        "res.partner",
        lambda s: [s.ids["company_partner"]],
        lambda s: {"name": "Thief"},
    ),
    write("change the company", "res.company", lambda s: [1], lambda s: {"name": "Thief"}),
    write(
        "another bank account for the journal",
        "account.journal",
        lambda s: [s.ids["bank"]],
        lambda s: {"bank_account_id": s.ids["other_bank"]},
    ),
    Attack(
        "another bank account by the journal's method",
        "account.journal",
        "set_bank_account",
        lambda s: [s.ids["cash"]],
        lambda s: {"acc_number": "XX6"},
    ),
    create("a new bank journal", "account.journal", lambda s: {"name": "x", "type": "bank", "code": "XXB"}),
    create(
        "the wizard that sets up a bank",
        "account.setup.bank.manual.config",
        lambda s: {"acc_number": "XX7", "bank_id": False, "bank_bic": "", "new_journal_name": "x"},
    ),
    create(
        "the wizard that merges partners",
        "base.partner.merge.automatic.wizard",
        lambda s: {
            "partner_ids": [[6, 0, [s.ids["partner"], s.ids["vendor"]]]],
            "dst_partner_id": s.ids["partner"],
            "state": "selection",
        },
    ),
    create(
        "a new partner that is owed elsewhere",
        "res.partner",
        lambda s: {"name": "x", "property_account_payable_id": s.ids["account"]},
    ),
    create("where partners are owed", "ir.property", lambda s: {"name": "x", "type": "many2one", "fields_id": 1}),
    write("change an account", "account.account", lambda s: [s.ids["account"]], lambda s: {"reconcile": True}),
    create("a new account", "account.account", lambda s: {"name": "x", "code": "999999", "user_type_id": 1}),
    create("new payment terms", "account.payment.term", lambda s: {"name": "x"}),
    write("change a tax", "account.tax", lambda s: [s.ids["tax"]], lambda s: {"amount": 99.0}),
    create("a new rate of a currency", "res.currency.rate", lambda s: {"currency_id": 1, "rate": 9.0}),
    write("change a price", "product.product", lambda s: [s.ids["product"]], lambda s: {"list_price": 0.01}),
    create(
        "attach a file to a posted invoice",
        "ir.attachment",
        lambda s: {"name": "INV.pdf", "datas": "eA==", "res_model": "account.move", "res_id": s.posted},
    ),
    write("change a file of a posted invoice", "ir.attachment", lambda s: [s.file], lambda s: {"datas": "eA=="}),
    write("change how an invoice is printed", "ir.ui.view", lambda s: [s.ids["view"]], lambda s: {"active": False}),
    write(
        "change which report is an invoice",
        "ir.actions.report",
        lambda s: [s.ids["report"]],
        lambda s: {"report_name": "x"},
    ),
]
