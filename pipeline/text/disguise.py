"""Words written to slip past a filter, read as what they stand for: 收.红.包, 洪包, 礻L物, hong包, hb, 包红, 🧧 → 红包, 礼物.

Only what is counted is read so: the text that is shown, and every offset into it, stays as it was written. What a
disguise can stand for is a list, :mod:`pipeline.text.disguises`.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import accumulate

from pipeline.text.disguises import Disguises, load_disguises
from pipeline.text.segment import Segmenter

HAN = "\u3400-\u9fff"
_MARKS = r"\u0300-\u036f\u20d0-\u20f0\ufe00-\ufe0f"
_UNTOUCHED = r"\s\w" + HAN + "〔〕“”‘’\"'（）()《》<>〈〉【】\\[\\]「」：:%％,，。！？!?；;…"
APART = rf"(?:[^{_UNTOUCHED}]|[ \n_])"
"""What people put between the characters of a word: blanks, dots, stars, pictures."""

ORDINARY = r"[\u4e00-\u9fff0-9、：“”（）()《》〔〕]"
_ORDINARY = re.compile(f"{ORDINARY}*")
_RADICALS = "亻冫氵讠扌钅饣纟阝礻衤忄犭刂艹宀疒辶彳丬攵丨丩彡夂冂勹廴卩灬虍糹訁釒牜罒"
_UNIT = rf"(?:[{HAN}]|[0-9A-Za-z]{{1,8}})"
_BETWEEN = rf"(?:{APART}|[，,。！？!?；;…]){{1,3}}"
_SPACED_RUN = re.compile(rf"(?:{_UNIT}{_BETWEEN}){{2,}}{_UNIT}")
_GAP = re.compile(rf"(?<=[{HAN}])(?:{APART}|[%％]){{1,3}}(?=[{HAN}])")
"""One sign or more between two characters; what may well be meant there is :data:`MAY_STAND_BETWEEN`."""

MAY_STAND_BETWEEN = frozenset(" \n、/|+~～·—–.-→=@\\{}×■□○●")
_LETTERS = re.compile(
    r"(?<![A-Za-z0-9@._/-])[A-Za-z](?:[A-Za-z]|[ '013](?=[A-Za-z])|0(?![0-9]))*(?![A-Za-z]|[@._/-][A-Za-z0-9])"
)
_NOT_HAN = re.compile(rf"[^{HAN}]")
_LONGEST = 4
_LONGEST_RUN, _SHORTEST_ALONE = 60, 5
"""Letters that are looked at in one run, and that touch no character."""

_PASSES = 8
"""Undoing one disguise may bare another."""

_SHORTEST_TURNED, _SURELY_TURNED = 5, 7

LOOKALIKES = str.maketrans(
    "αβγεικνορτυχАВЕКМНОРСТУХавекмнорстухіѕԁɡ",
    "abyeiknoptuxABEKMHOPCTYXabekmhopctyxisdg",
)
_DIGITS = str.maketrans("013", "oie")
_ADORNED = re.compile(
    rf"[\u24b6-\u24e9\u249c-\u24b5\U0001d400-\U0001d7ff\U0001f110-\U0001f189]|(?<=[{HAN}0-9A-Za-z⓪①-⑳㉑-㉟])[⓪①-⑳㉑-㉟]"
)


def _plain_letter(match: re.Match[str]) -> str:
    """A circled, squared or slanted letter or number as itself."""
    plain = unicodedata.normalize("NFKC", match.group()).strip("()")
    return plain if plain.isalnum() else match.group()


def _makes_word(left: str, middle: str, right: str, known: Segmenter, listed: Disguises) -> bool:
    """Whether ``middle`` (or where it is empty: the seam) lies inside a word of the list or the lexicon."""
    longest = _LONGEST - len(middle)
    return any(
        (word := left[len(left) - before :] + middle + right[:after]) in listed.words
        or word in known.lexicon.classes
        for before in range(min(longest, len(left)) + 1)
        for after in range(min(longest - before, len(right)) + 1)
        if before + after and (middle or (before and after))
    )


def _closed_up(text: str, segmenter: Segmenter, listed: Disguises) -> str:
    """Spaced-out characters put together: three or more in a row, or two where that makes a word."""

    def run(match: re.Match[str]) -> str:
        found = match.group()
        units = re.findall(_UNIT, found)
        listing = found.count("、") >= len(units) - 1
        apart = sum(len(unit) == 1 and not unit.isascii() for unit in units) >= 3
        return "".join(units) if apart and not (listing and len(units) < 5) else found

    text = _SPACED_RUN.sub(run, text)
    parts: list[str] = []
    last = 0
    closed_before = ""
    for match in _GAP.finditer(text):
        start, end = match.span()
        before = (closed_before + text[max(last, start - _LONGEST) : start])[-_LONGEST:]
        left = _NOT_HAN.split(before)[-1]
        right = _NOT_HAN.split(text[end : end + _LONGEST])[0]
        gap = set(match.group())
        closed = "、" not in gap and _makes_word(left, "", right, segmenter, listed)
        if not closed and any(sign in MAY_STAND_BETWEEN or ord(sign) in listed.signs for sign in gap):
            continue
        parts.append(text[last:start])
        last, closed_before = end, before
    return "".join([*parts, text[last:]])


def unspelt(text: str, listed: Disguises) -> str:
    """Words spelt in letters, in part or whole, and initials beside Chinese characters, written out."""
    parts: list[str] = []
    last = 0
    for match in _LETTERS.finditer(text):
        start, end = match.span()
        found = match.group().replace(" ", "").replace("'", "")
        lower = found.lower().translate(_DIGITS) if re.search(r"[a-zA-Z]{2}", found) else found
        before = _NOT_HAN.split(text[max(last, start - _LONGEST + 1) : start])[-1]
        after = _NOT_HAN.split(text[end : end + _LONGEST - 1])[0]
        if len(found) > _LONGEST_RUN:
            continue
        alone = not before and not after and len(match.group()) < len(text.strip())
        if alone and (len(found) < _SHORTEST_ALONE or not found.islower()):
            continue
        read = _read_letters(found, lower, before, after, listed)
        if read is not None:
            taken_before, word, taken_after = read
            parts += [text[last : start - taken_before], word]
            last = end + taken_after
    return "".join([*parts, text[last:]])


def _read_letters(
    found: str, lower: str, before: str, after: str, listed: Disguises
) -> tuple[int, str, int] | None:
    """What letters between two stretches of characters stand for, with how many of those it takes in; None for nothing known."""
    if lower in listed.plain:
        return None
    if found in listed.short:
        return 0, listed.short[found], 0
    if found != found.lower() and len(found) < 4:
        return None
    for size in range(len(before) + len(after), 0, -1):
        for left in range(min(size, len(before)), max(0, size - len(after)) - 1, -1):
            right = size - left
            word = listed.spelt.get(before[len(before) - left :] + lower + after[:right])
            if word is not None:
                return left, word, right
    words = _spelt_words(lower, listed)
    return None if words is None else (0, words, 0)


def _spelt_words(letters: str, listed: Disguises) -> str | None:
    """A run of letters as the fewest words whose syllables make it up; None where they do not."""
    best: list[tuple[int, str] | None] = [(0, "")]
    for end in range(1, len(letters) + 1):
        ways = [
            (reached[0] + 1, reached[1] + word)
            for start in range(max(0, end - 6 * _LONGEST), end)
            if (reached := best[start]) and (word := listed.spelt.get(letters[start:end]))
        ]
        best.append(min(ways, key=lambda way: way[0], default=None))
    reached = best[-1]
    return reached[1] if reached else None


def _rejoined(text: str, segmenter: Segmenter, listed: Disguises) -> str:
    """Taken-apart characters put together: at a part that is no character of its own, or where a word comes of it."""

    def join(match: re.Match[str]) -> str:
        found = match.group()
        character = listed.whole[found]
        if any(part in _RADICALS for part in found):
            return character
        left = text[max(0, match.start() - _LONGEST) : match.start()]
        right = text[match.end() : match.end() + _LONGEST]
        return character if _makes_word(left, character, right, segmenter, listed) else found

    return listed.splits.sub(join, text)


def _turned(text: str, segmenter: Segmenter) -> list[str]:
    """Its words, of a text written from its end the right way round: nearly none make it up, and far fewer turned."""
    tokens = segmenter.tokens(text)
    if len(text) < _SHORTEST_TURNED or len(tokens) < 0.8 * len(text):
        return tokens
    fewer = 0.62 if len(text) >= _SURELY_TURNED else 0.5
    turned = segmenter.tokens(text[::-1])
    return turned if len(turned) <= fewer * len(tokens) else tokens


def _reworded(tokens: list[str], listed: Disguises) -> str:
    """Words of other characters with the same sound or look, and words written backwards, where no word stands as it is."""
    text = "".join(tokens)
    sounded, looked = text.translate(listed.sound), text.translate(listed.look)
    starts = [0, *accumulate(map(len, tokens))]
    begun = [
        first
        for first, start in enumerate(starts[:-2])
        if sounded[start : start + 2] in listed.heads
        or looked[start : start + 2] in listed.heads
        or text[start : start + 2] in listed.heads
    ]
    parts: list[str] = []
    last = 0
    for first in begun:
        start = starts[first]
        if start < last:
            continue
        for after in range(min(first + _LONGEST, len(tokens)), first + 1, -1):
            end = starts[after]
            if end - start > _LONGEST or end - start == 2 * (after - first) == len(tokens[first]) + 2:
                continue
            word = (
                listed.sounds.get(sounded[start:end])
                or listed.looks.get(looked[start:end])
                or listed.turned.get(text[start:end])
            )
            if word and _is_meant(word, text[start:end], tokens[first:after], listed):
                parts += [text[last:start], word]
                last = end
                break
    return "".join([*parts, text[last:]])


def _is_meant(word: str, window: str, tokens: list[str], listed: Disguises) -> bool:
    """Whether tokens that make up no word stand for this one: all that are words themselves are part of it."""
    if window in listed.words or window in listed.plain:
        return False
    if listed.turned.get(window) == word:
        return all(len(token) == 1 for token in tokens)
    places = accumulate(map(len, tokens), initial=0)
    same = [word[place : place + len(token)] == token for place, token in zip(places, tokens, strict=False)]
    strange = {token for kept, token in zip(same, tokens, strict=True) if not kept}
    if any(len(token) > 1 for token in strange) or not listed.common.isdisjoint(strange):
        return False
    return word in listed.keys or any(same)


def shown(text: str, segmenter: Segmenter, listed: Disguises) -> str:
    """A clause with what signs, letters and parts of characters hide written plainly, once, whatever its words are."""
    if not _ORDINARY.fullmatch(text):
        text = re.sub(f"[{_MARKS}]", "", unicodedata.normalize("NFD", text)) if not text.isascii() else text
        text = unicodedata.normalize("NFC", text)
        text = _ADORNED.sub(_plain_letter, text)
        text = _closed_up(text, segmenter, listed)
        text = text.translate(listed.signs).translate(LOOKALIKES)
        text = unspelt(text, listed)
    return _rejoined(text, segmenter, listed)


def plain_words(text: str, segmenter: Segmenter, once: str | None = None) -> list[str]:
    """The words of a clause, disguised ones written plainly; joined and read again they are the same.

    ``once`` is what :func:`shown` gives of the clause, where that is known.
    """
    listed = load_disguises()
    for _ in range(_PASSES):
        once = shown(text, segmenter, listed) if once is None else once
        tokens, once = _turned(once, segmenter), None
        read = _reworded(tokens, listed)
        if read == text:
            return tokens
        text = read
    return segmenter.tokens(text)


def undisguise(text: str, segmenter: Segmenter) -> str:
    """A clause with its disguised words written plainly; applying it twice changes nothing."""
    return "".join(plain_words(text, segmenter))
