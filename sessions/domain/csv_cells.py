"""Texts as cells of a CSV file that may be opened in a spreadsheet."""

from __future__ import annotations

# A cell that begins so is taken for a formula, which may read files and call addresses (OWASP, "CSV Injection").
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")
TO_QUOTE = frozenset('",\r\n')


def defused(text: str) -> str:
    """Return a text that no spreadsheet executes: one that begins like a formula gets an apostrophe before it."""
    return f"'{text}" if text.startswith(DANGEROUS) else text


def csv_cell(text: str) -> str:
    """Return a text, defused, as a cell after RFC 4180."""
    safe = defused(text)
    return '"' + safe.replace('"', '""') + '"' if not TO_QUOTE.isdisjoint(safe) else safe
