"""Ways to have it done later, by somebody else, or with other rights."""

from tests.stack.attacks.attack import Attack, active, create, posted, write

LATER = [
    Attack("run the cron that posts", "ir.cron", "method_direct_trigger", lambda s: [s.ids["cron"]]),
    Attack("run the action that posts", "ir.actions.server", "run", lambda s: [s.ids["cron_action"]]),
    write("change the cron that posts", "ir.cron", lambda s: [s.ids["cron"]], lambda s: {"interval_type": "minutes"}),
    create(
        "a new cron",
        "ir.cron",
        lambda s: {
            "name": "x",
            "model_id": s.ids["model"],
            "state": "code",
            "code": "model.search([])._post()",
            "interval_type": "minutes",
        },
    ),
    create(
        "a new server action",
        "ir.actions.server",
        lambda s: {"name": "x", "model_id": s.ids["model"], "state": "code", "code": "model.search([])._post()"},
    ),
    write("change a server action", "ir.actions.server", lambda s: [s.ids["cron_action"]], lambda s: {"code": "pass"}),
    Attack(
        "a default for automatic posting",
        "ir.default",
        "set",
        None,
        lambda s: {"model_name": "account.move", "field_name": "auto_post", "value": True},
    ),
    Attack(
        "a system parameter",
        "ir.config_parameter",
        "set_param",
        None,
        lambda s: {"key": "countersign.test", "value": "1"},
    ),
    write("lose its group", "res.users", lambda s: [s.user], lambda s: {"groups_id": [[3, s.ids["group"]]]}),
    write(
        "lose its group from the other side",
        "res.groups",
        lambda s: [s.ids["group"]],
        lambda s: {"users": [[3, s.user]]},
    ),
    write(
        "give another user rights",
        "res.users",
        lambda s: [s.ids["clerk"]],
        lambda s: {"groups_id": [[4, s.ids["billing"]]]},
    ),
    create("a new user", "res.users", lambda s: {"name": "x", "login": "x"}),
    create(
        "the wizard that changes passwords",
        "change.password.wizard",
        lambda s: {"user_ids": [[0, 0, {"user_id": s.ids["owner"], "new_passwd": "x"}]]},
    ),
    create(
        "a new access right", "ir.model.access", lambda s: {"name": "x", "model_id": s.ids["model"], "perm_write": True}
    ),
    create("a new record rule", "ir.rule", lambda s: {"name": "x", "model_id": s.ids["model"], "domain_force": "[]"}),
    Attack("uninstall the addon", "ir.module.module", "button_immediate_uninstall", lambda s: [s.ids["addon"]]),
    write(
        "mark the addon for removal", "ir.module.module", lambda s: [s.ids["addon"]], lambda s: {"state": "to remove"}
    ),
    create("the settings", "res.config.settings", lambda s: {"group_multi_currency": True}),
    create("send a mail", "mail.mail", lambda s: {"body_html": "x", "email_to": "a@b.test"}),
    create(
        "compose a mail", "mail.compose.message", lambda s: {"body": "x", "model": "account.move", "res_id": s.posted}
    ),
    create("the wizard that sends invoices", "account.invoice.send", lambda s: {}, active("account.move", posted)),
    create("a mail server", "ir.mail_server", lambda s: {"name": "x", "smtp_host": "evil.test"}),
    Attack(
        "deliver a mail",
        "mail.thread",
        "message_process",
        None,
        lambda s: {"model": "account.move", "message": "From: a@b.test\nTo: c@d.test\n\nx"},
    ),
    create("a new number range", "ir.sequence", lambda s: {"name": "x"}),
]
