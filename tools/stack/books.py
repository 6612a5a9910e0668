"""The stack's books: Odoo's database with our modules, its administrator's password, and who Cloud is in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from tools.stack.engine import StackFailed
from tools.stack.files import whole

if TYPE_CHECKING:
    from tools.stack.engine import Compose
    from tools.stack.settings import Settings

NAME = "books"
LOGIN = "cloud"
"""Who Cloud is in Odoo."""
_NEW = "books-new"
_MODULES = "account,contacts,sale,draft_only"
_FILES = "/var/lib/odoo/filestore"
_SETTINGS = "-c /etc/odoo/odoo.conf"
_INSTALL = f"odoo {_SETTINGS} -d {_NEW} -i {{}} --without-demo=all --stop-after-init --workers=0"
_SHELL = f"exec odoo shell {_SETTINGS} -d {{}} --no-http --workers=0 --log-level=error"
_COUNTRY = """
country = env["res.country"].search([("code", "=", "{}")])
country or exit("there is no country with this code")
env.company.country_id = country
env.cr.commit()
"""
"""Odoo brings the accounts and taxes of the country that the company is in, when the accounting is installed."""
_TAKE_FILES = f'set -e; rm -rf "{_FILES}/{NAME}"; mkdir -p "{_FILES}/{_NEW}"; mv "{_FILES}/{_NEW}" "{_FILES}/{NAME}"'

_PEOPLE = """
import inspect
given = __GIVEN__
env = globals()["env"]
users, keys = env["res.users"].with_context(no_reset_password=True, active_test=False), env["res.users.apikeys"]
admin = env.ref("base.user_admin")
env.cr.execute("SELECT password FROM res_users WHERE id = %s", (admin.id,))
(stored,) = env.cr.fetchone()
if not stored or users._crypt_context().verify("admin", stored):
    admin.password = given["admin"]
env["ir.config_parameter"].sudo().set_param("report.url", "http://127.0.0.1:8069")
cloud = users.search([("login", "=", given["login"])], limit=1)
groups = "group_ids" if "group_ids" in users._fields else "groups_id"
draft_only = env.ref("draft_only.group_draft_only")
if not cloud:
    cloud = users.create({"name": "Countersign Cloud", "login": given["login"], groups: [(6, 0, [draft_only.id])]})
assert draft_only in cloud[groups] and not cloud.has_group("base.group_system"), "the user is not a draft-only one"
theirs = keys.with_user(cloud).sudo()
theirs.search([("user_id", "=", cloud.id), ("name", "=", given["name"])]).unlink()
lasting = [None] if "expiration_date" in inspect.signature(theirs._generate).parameters else []
key = theirs._generate("rpc", given["name"], *lasting)
env.cr.commit()
print("\\nKEY=" + key)
"""
"""For `odoo shell`, of Odoo 14 to 19. May be done again: what is there stays, but Cloud's key is a new one."""


def make(compose: Compose, settings: Settings, *, wait_seconds: int) -> None:
    """The books, when there are none; Cloud's key to them, when it has none. Raises StackFailed.

    They are made under another name until they are whole and their administrator has a password of his own: what is
    half made is never taken for the books, and nothing answers to the password that Odoo begins with.
    """
    compose("up", "-d", "--no-build", "--wait", "--wait-timeout", str(wait_seconds), "db")
    known = _postgres(compose, "-Atc", "SELECT datname FROM pg_database").splitlines()
    if NAME not in known:
        print("making the books (a minute or two) …", flush=True)
        compose("exec", "-T", "db", "dropdb", "-U", "odoo", "--if-exists", _NEW)
        _once(compose, f'set -e; rm -rf "{_FILES}/{_NEW}"; ' + _INSTALL.format("base"), seconds=1200)
        if country := settings.values.get("BOOKS_COUNTRY"):
            _once(compose, _SHELL.format(_NEW), feed=_COUNTRY.format(country))
        _once(compose, _INSTALL.format(_MODULES), seconds=1200)
        key = _people(compose, settings, _NEW)
        _once(compose, _TAKE_FILES)
        _postgres(compose, "-qc", f'ALTER DATABASE "{_NEW}" RENAME TO {NAME}')
        whole(_key(settings), key + "\n")
    elif not _key(settings).exists():
        print("making Cloud's key to the books …", flush=True)
        whole(_key(settings), _people(compose, settings, NAME) + "\n")


def _people(compose: Compose, settings: Settings, database: str) -> str:
    """See to the administrator's password and to Cloud's user; Cloud's new key."""
    password = (settings.secrets / "odoo_admin_password").read_text(encoding="ascii").strip()
    given = {"admin": password, "login": LOGIN, "name": "made by ./just up"}
    script = _PEOPLE.replace("__GIVEN__", json.dumps(given))
    said = _once(compose, _SHELL.format(database), feed=script, shows=False)
    key = next((line.removeprefix("KEY=") for line in said.splitlines() if line.startswith("KEY=")), "")
    if not key.isalnum():
        raise StackFailed(f"the users of the books were not made: {said.strip()[-2000:] or 'Odoo said nothing'}")
    return key


def _once(compose: Compose, script: str, *, feed: str = "", seconds: float = 300, shows: bool = True) -> str:
    """In a container of Odoo's image, for this alone."""
    try:
        return compose("run", "--rm", "--no-deps", "-T", "odoo", "sh", "-c", script, feed=feed, seconds=seconds)
    except StackFailed as error:
        if shows:
            raise
        raise StackFailed("the users of the books were not made: " + str(error).rpartition("\n")[2]) from None


def _postgres(compose: Compose, *words: str) -> str:
    return compose("exec", "-T", "db", "psql", "-U", "odoo", "-d", "postgres", *words)


def _key(settings: Settings) -> Path:
    return settings.secrets / "cloud" / "books-key"
