"""Which texts say something: "无", greetings and unreadable text are kept, but not valid."""

from __future__ import annotations

import re

from pipeline.text.normalise import NOISE

_EMPTY_ANSWER = re.compile(
    r"(?:(?:本人|我们?|我厂|我单位|本单位)?(?:目?前?暂?时?(?:没有?|无|没得|冇|冇得|未有)(?:什么|啥|任何|其他|其它|别的)?(?:不同)?(?:的)?(?:意见|建议|想法|看法|要说的|可说的|话说|问题要?反映|反映的?|补充|内容)?"
    r"(?:和|与|及|或|以及|、)?(?:意见|建议|想法|看法|补充)?(?:了|的|哦|啊|吧|呀|谢谢)*"
    r"|没啥(?:说的|要说的|好说的|可说的|意见)?|没什么(?:说的|要说的|好说的|可说的)?|不清楚|不了解|不知道|不太了解|不太清楚|不好说|没接触过?|未接触过?"
    r"|同上|略|空|无可奉告|没想好|随便|都行|na|n|none|null|no|nil|test|测试|暂无|暂缺|不详|没填|不填|未填写?|弃权|同意))+"
)
_GREETING = re.compile(
    r"(?:(?:尊敬的|各位|亲爱的)?(?:领导|同志|老师|大家|你|您|书记|厅长|市长|局长)们?(?:你们?|您)?好|(?:大家|领导们?|同志们?|您|你们?)?(?:早上好|上午好|下午好|晚上好|辛苦了|新年好|新年快乐|节日快乐)|"
    r"(?:谢谢|感谢)(?:你们?|您|大家|领导|各位)?|再见|收到|打扰了|祝(?:好|工作顺利|身体健康|万事如意|大家好)+|在吗|嗯+|哦+|哈+|呵+|好的)+"
)
LONGEST_ANSWER = 24
"""Characters, without punctuation: nothing longer is an empty answer or a mere greeting."""

ANSWER_CHARACTERS = frozenset(_EMPTY_ANSWER.pattern + _GREETING.pattern)
"""All that an empty answer or a greeting can be made of (and the signs of the patterns, which are no harm)."""

_READABLE = re.compile(r"[\u3400-\u9fffA-Za-z]")
_HAN = re.compile(r"[\u3400-\u9fff]+")
_LATIN_WORD = re.compile(r"\b[A-Za-z]{2,}\b")


def _unreadable(bare: str, text: str) -> bool:
    han = len(bare) - len(_HAN.sub("", bare))
    if not _READABLE.search(bare):
        return True
    if len(bare) >= 4 and len(set(bare)) <= max(1, min(4, len(bare) // 8)):
        return True
    if han == 0:
        # keyboard noise has no vowels or is one long run; real Latin text has several words
        return len(_LATIN_WORD.findall(text)) < 3
    return len(bare) >= 12 and han / len(bare) < 0.1


def is_valid(text: str) -> bool:
    """Whether a masked text says something that could carry a label.

    False for empty answers (无, 没有意见, 暂无), bare greetings and thanks, and text with nothing readable in it.
    """
    bare = NOISE.sub("", text)
    if not bare:
        return False
    lowered = bare.lower()
    if len(bare) <= LONGEST_ANSWER and (_EMPTY_ANSWER.fullmatch(lowered) or _GREETING.fullmatch(lowered)):
        return False
    return not _unreadable(bare, text)
