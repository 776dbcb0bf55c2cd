"""How offices write dates and shares."""

from __future__ import annotations


def chinese_date(day: str) -> str:
    """``2026-11-03`` → ``2026年11月3日``."""
    year, month, date = day.split("-")
    return f"{year}年{int(month)}月{int(date)}日"


def percent(share: float) -> str:
    """A share with one decimal, as offices write it."""
    return f"{share * 100:.1f}%"
