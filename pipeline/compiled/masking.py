"""The masking of :mod:`pipeline.text.mask`, for many texts at once: its rules are tried only where they can match."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter

import numpy as np

from pipeline.compiled import mask_classes as mc
from pipeline.compiled.codes import Places, coded
from pipeline.compiled.mask_starts import starts
from pipeline.compiled.mask_tables import tables
from pipeline.text import cues, figures, names
from pipeline.text.mask import masking
from pipeline.text.rules import Rule, Starts

RULES: dict[int, Rule] = {
    mc.EMAIL: figures.EMAIL,
    mc.IDENTITY: figures.IDENTITY,
    mc.CREDIT_CODE: figures.CREDIT_CODE,
    mc.CARD: figures.CARD,
    mc.MOBILE: figures.MOBILE,
    mc.LANDLINE: figures.LANDLINE,
    mc.PLATE: figures.PLATE,
    mc.BIRTH: cues.BIRTH,
    mc.ADDRESS: cues.ADDRESS,
    mc.DIALLED: figures.DIALLED,
    mc.LOCAL: figures.LOCAL,
    mc.QQ: cues.QQ,
    mc.SERIAL: cues.SERIAL,
    mc.ACCOUNT: cues.ACCOUNT,
    mc.ACCOUNT_LATIN: cues.ACCOUNT_LATIN,
    mc.WEIBO: cues.WEIBO,
    mc.INTRODUCED: names.INTRODUCED,
    mc.SELF: names.SELF,
    mc.TITLED: names.TITLED,
    mc.AFTER_TITLE: names.AFTER_TITLE,
    mc.SHORT_TITLED: names.SHORT_TITLED,
    mc.FAMILIAR: names.FAMILIAR,
    mc.KINLIKE: names.KINLIKE,
    mc.KIN: names.KIN,
    mc.SHARED_TITLE: names.SHARED_TITLE,
    mc.DESCRIBED: names.DESCRIBED,
    mc.ENTRY: names.ENTRY,
    mc.VEILED: names.VEILED,
    mc.SURNAME_SAID: names.SURNAME_SAID,
    mc.DOTTED: names.DOTTED,
    mc.BARE: names.BARE,
}
_ROOM = 0.1
"""Starts that room is made for at first, a character."""


def masked(texts: Sequence[str]) -> list[str]:
    """``[mask(text) for text in texts]``, of normalised texts.

    What they are changed to on the way is looked at together, since a look at one text costs most for being one.
    """
    known = dict(zip(texts, starts_of(texts), strict=True))
    done = list(texts)
    under_way = [
        (number, steps, next(steps))
        for number, steps in enumerate(map(masking, texts))
        if known[texts[number]]
    ]
    while under_way:
        waiting = []
        for number, steps, text in under_way:
            asked = text
            try:
                while asked in known:
                    asked = steps.send(known[asked])
                waiting.append((number, steps, asked))
            except StopIteration as finished:
                done[number] = finished.value
        changed = list({asked for _, _, asked in waiting})
        known |= zip(changed, starts_of(changed), strict=True)
        under_way = waiting
    return done


def starts_of(texts: Sequence[str]) -> list[Starts]:
    """Of each text where its rules can begin to match."""
    codes, borders = coded(texts)
    ends = np.zeros(len(texts), dtype=np.int64)
    many = int(_ROOM * len(codes)) + 64
    while True:
        found = np.empty((many, 2), dtype=np.int32)
        if (many := starts(codes, borders, *tables(), found, ends)) <= len(found):
            return _by_rule(found[:many], ends)


def _by_rule(found: mc.Found, ends: Places) -> list[Starts]:
    rows = found.tolist()
    grouped: list[Starts] = []
    begin = 0
    for end in ends.tolist():
        by_rule: dict[Rule, list[int] | None] = {}
        for number, places in groupby(sorted(rows[begin:end]), itemgetter(0)):
            among = [place for _, place in places]
            by_rule[RULES[number]] = None if among[0] == mc.ANYWHERE else among
        grouped.append(by_rule)
        begin = end
    return grouped
