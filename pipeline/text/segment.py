"""Segmentation with jieba and the domain lexicon, the same in every process."""

from __future__ import annotations

from typing import Any

from pipeline.lexicon import Lexicon
from pipeline.text.mask import MARK


class Segmenter:
    """jieba over its own dictionary plus the lexicon's terms, without new-word guessing (HMM off).

    The tokenizer is built on first use, in whichever process that is, and never pickled: a segmenter travels as
    its lexicon alone. jieba's marshal cache in the shared temp folder is neither read nor written.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self._tokenizer: Any = None

    def __getstate__(self) -> dict[str, Any]:
        return {"lexicon": self.lexicon, "_tokenizer": None}

    def _build(self) -> Any:
        import jieba  # noqa: PLC0415  # half a second of dictionary, needed only where texts are read

        tokenizer = jieba.Tokenizer()
        tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
        tokenizer.initialized = True
        for term in self.lexicon.classes:
            tokenizer.add_word(term)
        return tokenizer

    def tokens(self, text: str) -> list[str]:
        """Cut a text; ``"".join(tokens) == text``. Marks of masked data stay whole."""
        if self._tokenizer is None:
            self._tokenizer = self._build()
        if "〔" not in text:
            return self._tokenizer.lcut(text, HMM=False)  # type: ignore[no-any-return]  # jieba is untyped
        tokens: list[str] = []
        last = 0
        for match in MARK.finditer(text):
            tokens += self._tokenizer.lcut(text[last : match.start()], HMM=False)
            tokens.append(match.group())
            last = match.end()
        return tokens + list(self._tokenizer.lcut(text[last:], HMM=False))
