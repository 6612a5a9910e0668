"""A post held against what this machine knows: its accounts, the networks' rules, its files, and what it has read."""

from __future__ import annotations

from collections.abc import Iterator

from local_agent.attachments import NoSuchFile
from local_agent.check import Check
from local_agent.heard import id_of
from local_agent.home import Settings
from local_agent.pictures import Pictures
from social import LIMITS, cautions, faults
from vault_protocol.action import Action, PublishPost
from vault_protocol.errors import VaultError
from vault_protocol.plain import one_line
from vault_protocol.task import Task


class PostCheck:
    """Checks a PublishPost for the task that it stands in."""

    def __init__(self, settings: Settings, pictures: Pictures, secret: bytes) -> None:
        self._settings, self._pictures, self._secret = settings, pictures, secret

    def __call__(self, task: Task, action: Action, told: tuple[str, ...]) -> Check:
        if not isinstance(action, PublishPost):
            return Check(False, warnings=told, reason="it is no post")
        warnings = dict.fromkeys((*told, *cautions(action)))
        return Check(True, tuple(dict.fromkeys(self._mismatches(task, action))), tuple(warnings))

    def _mismatches(self, task: Task, action: PublishPost) -> Iterator[str]:
        try:
            account = self._settings.social_account(action.account)
        except VaultError as error:
            yield one_line(str(error))
        else:
            if account.network != action.network:
                yield f"the account {account.name} is one of {LIMITS[account.network].name}"
        for fault in faults(action):
            yield one_line(f"{LIMITS[action.network].name} would refuse it: {fault}")
        for media in action.media:
            try:
                self._pictures.read(media)
            except NoSuchFile as error:
                yield one_line(str(error))
        if action.reply_to is not None and id_of(self._secret, action.account, action.reply_to) != task.id:
            yield "the post that it answers is not the one that this task was raised about"
