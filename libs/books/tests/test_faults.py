import pytest

from books.errors import BadCredentials, BooksError, BooksRefused, BooksUnreachable, NoSuchRecord, NotNow
from books.faults import fault


@pytest.mark.parametrize(
    ("name", "message", "kind"),
    [
        ("odoo.exceptions.AccessDenied", "Access Denied", BadCredentials),
        ("odoo.exceptions.MissingError", "Record does not exist or has been deleted.", NoSuchRecord),
        ("psycopg2.errors.SerializationFailure", "could not serialize access due to concurrent update", NotNow),
        ("psycopg2.OperationalError", 'FATAL:  database "other" does not exist\n', BadCredentials),
        ("builtins.ZeroDivisionError", "division by zero", BooksUnreachable),
        ("", "", BooksUnreachable),
    ],
)
def test_an_exception_of_the_server_has_one_meaning(name: str, message: str, kind: type[BooksError]) -> None:
    assert type(fault(name, message)) is kind


@pytest.mark.parametrize(
    ("name", "message", "rule"),
    [
        ("odoo.exceptions.AccessError", "You are not allowed", "access"),
        ("odoo.exceptions.UserError", "countersign[changed] the move is another one now", "changed"),
        ("odoo.exceptions.AccessError", "countersign[draft-only] no", "draft-only"),
        ("odoo.exceptions.ValidationError", "The entry does not balance", "invalid"),
        ("odoo.exceptions.UserError", "Object sale.order doesn't exist", "no-model"),
        ("builtins.KeyError", "'sale.order'", "no-model"),
        ("builtins.AttributeError", "type object 'account.move' has no attribute 'countersign_find'", "no-method"),
    ],
)
def test_a_refusal_names_its_rule(name: str, message: str, rule: str) -> None:
    refusal = fault(name, message)
    assert isinstance(refusal, BooksRefused)
    assert refusal.rule == rule


def test_a_long_message_is_cut() -> None:
    assert len(str(fault("odoo.exceptions.UserError", "x" * 9000))) < 400
