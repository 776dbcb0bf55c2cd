"""Which of many texts say something."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pipeline.compiled.characters import UNSETTLED, bare_forms, marked
from pipeline.compiled.codes import Codes, Places, coded
from pipeline.compiled.kernels import kernel
from pipeline.text.validity import ANSWER_CHARACTERS, LONGEST_ANSWER, is_valid

_DISTINCT = 5
"""Different characters beyond which no text counts as one repeated."""


@kernel
def _surely_valid(
    codes: Codes,
    borders: Places,
    forms: Codes,
    in_answers: npt.NDArray[np.bool_],
    sure: npt.NDArray[np.bool_],
) -> None:
    """Say of each text whether it is no answer or greeting, and is readable, by the counts of its characters alone."""
    seen = np.empty(_DISTINCT, dtype=np.uint32)
    for text in range(len(borders) - 1):
        n = chinese = distinct = others = 0
        for code in codes[borders[text] : borders[text + 1]]:
            form = forms[code]
            if form == 0:
                continue
            n += 1
            chinese += 0x3400 <= code <= 0x9FFF
            others += form != UNSETTLED and not in_answers[form]
            if distinct < _DISTINCT:
                place = 0
                while place < distinct and seen[place] != code:
                    place += 1
                seen[place] = code
                distinct = max(distinct, place + 1)
        no_answer = n > LONGEST_ANSWER or others > 0
        repeated = n >= 4 and distinct <= max(1, min(_DISTINCT - 1, n // 8))
        sure[text] = no_answer and not repeated and chinese > 0 and 10 * chinese >= n


def validity(texts: Sequence[str]) -> npt.NDArray[np.bool_]:
    """``[is_valid(text) for text in texts]``."""
    valid = np.empty(len(texts), dtype=np.bool_)
    _surely_valid(*coded(texts), bare_forms(), marked("".join(ANSWER_CHARACTERS)), valid)
    for number in np.flatnonzero(~valid).tolist():
        valid[number] = is_valid(texts[number])
    return valid
