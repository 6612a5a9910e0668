"""Telling the owner that something waits: on their desktop, by ntfy, by Telegram, or by a mail to themselves."""
