"""Who asks, and how a no is said. The group counts also behind sudo(): the user stays the same there."""

from odoo.exceptions import AccessError, UserError

DRAFT_ONLY = "draft_only.group_draft_only"
BILLING = "account.group_account_invoice"


def draft_only(env):
    """Whether the user may draft and nothing more, whatever other groups it has."""
    return bool(env.user) and env.user.has_group(DRAFT_ONLY)


def refuse_draft_only(env, what):
    """Raises AccessError when a draft-only user asks."""
    if draft_only(env):
        raise denied(what)


def require_billing(env):
    """Raises AccessError unless the user may post, and is not draft-only besides."""
    refuse_draft_only(env, "posting and paying")
    if not env.user.has_group(BILLING):
        raise AccessError("countersign[not-billing] only a user of the group Billing posts")


def denied(what):
    """The error for what a draft-only user may not do."""
    return AccessError(f"countersign[draft-only] a draft-only user is denied: {what}")


def refused(rule, reason):
    """The error of a named rule."""
    return UserError(f"countersign[{rule}] {reason}")
