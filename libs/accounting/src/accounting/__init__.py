"""Amounts, rules, goals, bills and statements as typed values. Pure: bytes in, values out, nothing guessed."""
