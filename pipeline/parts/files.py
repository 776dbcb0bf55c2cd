"""One part as a file: readings as plain columns, and back."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Sequence
from itertools import accumulate, pairwise
from operator import attrgetter
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.columns import array_of, values_in
from pipeline.records import Finding, Opinion, Reading

LAYOUT = 1
"""Version of the columns below: parts of another are read anew."""

_OF = b"qingyi.of"
COLUMNS = ("id", "text", "department", "source_unit", "collected_on", "channel", "labels")
"""Of an opinion."""
_FINDING = pa.struct(
    [
        ("department", pa.binary()),
        ("label", pa.binary()),
        ("probability", pa.float64()),
        ("start", pa.int32()),
        ("end", pa.int32()),
        ("needs_review", pa.bool_()),
    ]
)
_SCHEMA = pa.schema(
    [
        *((name, pa.binary()) for name in COLUMNS),  # a text may hold half a character, which UTF-8 has not
        ("valid", pa.bool_()),
        ("needs_review", pa.bool_()),
        ("findings", pa.list_(_FINDING)),
        ("departments", pa.list_(pa.binary())),
        ("clue", pa.list_(pa.binary())),
        ("signature", pa.binary()),
        ("beliefs", pa.binary()),
        ("width", pa.int32()),  # of beliefs: there may be no row
    ]
)
values_of = attrgetter(*COLUMNS)
"""An opinion's values in the order of :data:`COLUMNS`."""


def opinion_of(values: tuple[str, ...]) -> Opinion:
    """The opinion of which :data:`values_of` gives these."""
    identity, text, department, unit, day, channel, labels = values
    return Opinion(
        id=identity, text=text, department=department, source_unit=unit, collected_on=day,
        channel=channel, labels=labels,
    )  # fmt: skip


class PartError(ValueError):
    """Not a part, a damaged one, or one of other opinions: they are to be read anew."""


def write_part(target: Path | IO[bytes], readings: Sequence[Reading], of: str = "") -> None:
    """Write readings to a new file, whole or not at all and its owner's alone, or to an open binary file.

    ``of`` says what was read by what (:meth:`Parts.of`); who reads the part asks for it again.
    """
    table = _table(readings).replace_schema_metadata({_OF: of.encode()})
    if isinstance(target, Path):
        descriptor, beside = tempfile.mkstemp(dir=target.parent, prefix=target.name + ".")
        try:
            with os.fdopen(descriptor, "wb") as file:
                _write(table, file)
            Path(beside).replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(beside).unlink()
            raise
    else:
        _write(table, target)


def read_part(source: Path | IO[bytes], of: str | None = None, *, texts: bool = True) -> list[Reading]:
    """The readings of a part as they were written, beliefs bit for bit; without ``texts`` theirs are empty.

    Raises:
        PartError: it is damaged or no part, or not ``of`` what is asked for.
        OSError: it cannot be opened.
    """
    if isinstance(source, Path):
        with source.open("rb") as file:
            return read_part(file, of, texts=texts)
    try:
        with pq.ParquetFile(source, page_checksum_verification=True) as file:
            if not file.schema_arrow.equals(_SCHEMA):
                raise PartError
            if of is not None and file.schema_arrow.metadata.get(_OF) != of.encode():
                raise PartError
            wanted = [name for name in _SCHEMA.names if texts or name != "text"]
            return _readings(file.read(wanted, use_threads=False).combine_chunks())
    except (OSError, ValueError, KeyError, AttributeError, TypeError, pa.ArrowException):
        raise PartError from None


def _write(table: pa.Table, file: IO[bytes]) -> None:
    pq.write_table(
        table,
        file,
        compression="none",  # half of it are signatures, in which nothing repeats
        use_dictionary=["department", "source_unit", "collected_on", "channel", "labels"],
        write_statistics=False,
        write_page_checksum=True,
    )


def _table(readings: Sequence[Reading]) -> pa.Table:
    findings = [finding for one in readings for finding in one.findings]
    return pa.Table.from_arrays(
        [
            *(_binary([getattr(one.opinion, name) for one in readings]) for name in COLUMNS),
            array_of([one.valid for one in readings], pa.bool_()),
            array_of([one.needs_review for one in readings], pa.bool_()),
            pa.ListArray.from_arrays(_borders([one.findings for one in readings]), _struct(findings)),
            _lists([one.departments for one in readings]),
            _lists([one.clue for one in readings]),
            array_of([one.signature for one in readings], pa.binary()),
            array_of([one.beliefs.astype("<f4", copy=False).tobytes() for one in readings], pa.binary()),
            array_of([one.beliefs.shape[1] for one in readings], pa.int32()),
        ],
        schema=_SCHEMA,
    )


def _struct(findings: Sequence[Finding]) -> pa.StructArray:
    return pa.StructArray.from_arrays(
        [
            _binary([one.department for one in findings]),
            _binary([one.label for one in findings]),
            array_of([one.probability for one in findings], pa.float64()),
            array_of([one.start for one in findings], pa.int32()),
            array_of([one.end for one in findings], pa.int32()),
            array_of([one.needs_review for one in findings], pa.bool_()),
        ],
        fields=list(_FINDING),
    )


def _lists(rows: Sequence[Sequence[str]]) -> pa.ListArray:
    return pa.ListArray.from_arrays(_borders(rows), _binary([value for row in rows for value in row]))


def _borders(rows: Sequence[Sequence[Any]]) -> pa.Array:
    return array_of([0, *accumulate(map(len, rows))], pa.int32())


def _binary(values: Sequence[str]) -> pa.Array:
    return array_of([value.encode("utf-8", "surrogatepass") for value in values], pa.binary())


_DIFFERENT = ("id", "text")
"""Columns in which hardly a value is like another."""


def _decoded(column: Any, *, alike: bool = True) -> list[str]:
    """Text; where values are ``alike``, equal ones are one object."""
    raw = values_in(column)
    if not alike:
        return [value.decode("utf-8", "surrogatepass") for value in raw]
    known = {value: value.decode("utf-8", "surrogatepass") for value in set(raw)}
    return [known[value] for value in raw]


def _rows(column: Any, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """The values of a list column, row by row."""
    borders = values_in(column.offsets)
    return [tuple(values[begin:end]) for begin, end in pairwise(borders)]


def _readings(table: pa.Table) -> list[Reading]:
    columns = {
        name: column.chunk(0) if column.num_chunks else column.combine_chunks()
        for name, column in zip(table.column_names, table.columns, strict=True)
    }
    texts = {
        name: _decoded(columns[name], alike=name not in _DIFFERENT) for name in COLUMNS if name in columns
    }
    texts.setdefault("text", [""] * table.num_rows)
    opinions = map(opinion_of, zip(*(texts[name] for name in COLUMNS), strict=True))
    lists = {name: _rows(columns[name], _decoded(columns[name].values)) for name in ("departments", "clue")}
    return [
        Reading(
            opinion=opinion, valid=valid, findings=findings, departments=departments, needs_review=review,
            signature=signature, beliefs=beliefs, clue=clue,
        )
        for opinion, valid, findings, departments, review, signature, beliefs, clue in zip(
            opinions,
            values_in(columns["valid"]),
            _rows(columns["findings"], _findings(columns["findings"].values)),
            lists["departments"],
            values_in(columns["needs_review"]),
            values_in(columns["signature"]),
            _beliefs(columns["beliefs"], columns["width"], [*map(len, lists["departments"])]),
            lists["clue"],
            strict=True,
        )
    ]  # fmt: skip


def _beliefs(column: Any, widths: Any, counts: Sequence[int]) -> list[npt.NDArray[np.float32]]:
    """Of each reading its rows, ``counts`` many: of one array, where they are equally wide, as of one model they are."""
    raw, wide = values_in(column), values_in(widths)
    if len(set(wide)) == 1:
        rows = np.frombuffer(b"".join(raw), "<f4").reshape(sum(counts), wide[0])
        return [rows[begin:end] for begin, end in pairwise(accumulate(counts, initial=0))]
    each = zip(raw, counts, wide, strict=True)
    return [np.frombuffer(row, "<f4").reshape(count, width) for row, count, width in each]


def _findings(values: Any) -> list[Finding]:
    fields = {name: values.field(name) for name in _FINDING.names}
    return [
        Finding(
            department=department, label=label, probability=probability, start=start, end=end,
            needs_review=review,
        )
        for department, label, probability, start, end, review in zip(
            _decoded(fields["department"]),
            _decoded(fields["label"]),
            *(values_in(fields[name]) for name in ("probability", "start", "end", "needs_review")),
            strict=True,
        )
    ]  # fmt: skip
