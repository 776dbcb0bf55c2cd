"""Plain values → Arrow arrays and back, value for value as ``pa.array`` and ``to_pylist``, without pandas.

pyarrow loads pandas the first time that it looks at a list: half a second of each process of a run.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa


def array_of(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Values, none of them missing, as an array: text (``pa.string()``), bytes (``pa.binary()``), truth values or numbers.

    Raises:
        UnicodeEncodeError: half a character in a text.
        pa.ArrowInvalid: more bytes than an array holds (2 GiB).
    """
    n = len(values)
    if pa.types.is_string(kind) or pa.types.is_binary(kind):
        raw = [value.encode() for value in values] if pa.types.is_string(kind) else values
        ends = np.zeros(n + 1, dtype=np.int64)
        np.cumsum(np.fromiter(map(len, raw), np.int64, n), out=ends[1:])
        if ends[-1] > np.iinfo(np.int32).max:
            raise pa.ArrowInvalid(f"{ends[-1]} bytes in one array")
        parts = [ends.astype(np.int32), b"".join(raw)]
    elif pa.types.is_boolean(kind):
        parts = [np.packbits(np.fromiter(values, np.bool_, n), bitorder="little")]
    else:
        parts = [np.fromiter(values, kind.to_pandas_dtype(), n)]
    return pa.Array.from_buffers(kind, n, [None, *map(pa.py_buffer, parts)])


def values_in(array: pa.Array) -> list[Any]:
    """The values of an array of the kinds that :func:`array_of` makes: several times faster than ``to_pylist``.

    Raises:
        ValueError: one is missing.
    """
    n, start, kind = len(array), array.offset, array.type
    if array.null_count:
        raise ValueError("a value is missing")
    if not n:
        return []
    _, first, *rest = array.buffers()
    if pa.types.is_string(kind) or pa.types.is_binary(kind):
        data = rest[0].to_pybytes() if rest[0] else b""
        ends = np.frombuffer(first, np.int32)[start : start + n + 1].tolist()
        raw = [data[begin:end] for begin, end in pairwise(ends)]
        return [value.decode() for value in raw] if pa.types.is_string(kind) else raw
    if pa.types.is_boolean(kind):
        bits = np.unpackbits(np.frombuffer(first, np.uint8), count=start + n, bitorder="little")
        return bits[start:].astype(np.bool_).tolist()  # type: ignore[no-any-return]  # numpy says Any
    values = np.frombuffer(first, kind.to_pandas_dtype(), n, start * kind.bit_width // 8)
    return values.tolist()  # type: ignore[no-any-return]  # the same
