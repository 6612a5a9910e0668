"""The books of a stack that is up: asked from inside Cloud's container, and a customer who asks for an invoice."""

from __future__ import annotations

import json
from email.message import EmailMessage

from demo.letters import OWNER
from demo.processes import eventually
from tests.stack.asking import PATIENCE
from tests.stack.office import Office

CUSTOMER = "ada@customer.test"
_ASK = """
import json, sys
from books.errors import BooksError
from books.rpc import Access, connect
login, key, model, method, ids, named = json.load(sys.stdin)
try:
    print(json.dumps(connect(Access("http://odoo:8069", "books", login, key)).call(model, method, ids, **named)))
except BooksError as error:
    print(type(error).__name__)
"""


def of_stack(made: Office, name: str) -> str:
    """One of its secrets."""
    return (made.stack.settings.secrets / name).read_text(encoding="ascii").strip()


def ask_books(made: Office, login: str, key: str, model: str, method: str, ids: object = None, **named: object) -> str:
    """Odoo's answer, or the kind of its refusal."""
    given = json.dumps([login, key, model, method, ids, named])
    return made.inside("cloud-agent", "python", "-c", _ASK, feed=given).strip().splitlines()[-1]


def as_admin(made: Office, model: str, method: str, **named: object) -> str:
    return ask_books(made, "admin", of_stack(made, "odoo_admin_password"), model, method, **named)


def as_cloud(made: Office, model: str, method: str, ids: object = None, **named: object) -> str:
    return ask_books(made, "cloud", of_stack(made, "cloud/books-key"), model, method, ids, **named)


def drafted(made: Office, subject: str, reference: str) -> int:
    """A customer asks for an invoice, Cloud drafts it and asks the owner; the one document in the books."""
    known = as_admin(made, "res.partner", "search_read", domain=[["email", "=", CUSTOMER]], fields=["name"])
    if known == "[]":
        product = {"name": "Consulting hour", "default_code": "HOUR", "list_price": 120.0, "type": "service"}
        as_admin(made, "res.partner", "create", vals_list=[{"name": "Ada Ltd", "email": CUSTOMER}])
        as_admin(made, "product.product", "create", vals_list=[product])
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = CUSTOMER, OWNER, subject
    mail["Date"], mail["Message-ID"] = "Mon, 23 Nov 2026 09:00:00 +0000", f"<{reference}@customer.test>"
    mail.set_content(
        f"Hello,\n\nplease send us an invoice for 3 hours of consulting.\nOur PO number is {reference}.\n\nAda\n"
    )
    made.world.mail.provider.deliver(mail.as_bytes(), sender=CUSTOMER)
    eventually(
        lambda: any(subject in str(t) and t["stage"] == "Pending_Approval" for t in made.world.list_tasks()),
        f"the owner is asked about {subject}",
        seconds=PATIENCE,
    )
    told = as_cloud(
        made, "account.move", "search_read", domain=[["ref", "=", reference]], fields=["state", "amount_untaxed"]
    )
    found = [(one["id"], one["state"], one["amount_untaxed"]) for one in json.loads(told)]
    asked = [task for task in made.world.list_tasks() if subject in str(task)]
    assert [(state, total) for _, state, total in found] == [("draft", 360.0)], asked
    return int(found[0][0])
