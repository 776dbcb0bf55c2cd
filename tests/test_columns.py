"""Columns → Arrow arrays and back, beside pyarrow's own way."""

from __future__ import annotations

import subprocess
import sys

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.columns import array_of, values_in

CHARACTERS = st.characters(exclude_categories=["Cs"])
KINDS = {
    pa.string(): st.text(CHARACTERS),
    pa.binary(): st.binary(),
    pa.bool_(): st.booleans(),
    pa.int32(): st.integers(-(2**31), 2**31 - 1),
    pa.float64(): st.floats(allow_nan=False),
}


@given(data=st.data())
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_arrays_are_those_of_pyarrow(kind, data):
    values = data.draw(st.lists(KINDS[kind], max_size=40))
    array = array_of(values, kind)
    array.validate(full=True)
    assert array.equals(pa.array(values, kind))
    assert values_in(array) == values
    begin = data.draw(st.integers(0, len(values)))
    some = array.slice(begin, data.draw(st.integers(0, len(values))))
    assert values_in(some) == some.to_pylist()


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_missing_value_is_not_made_up(kind):
    with pytest.raises(ValueError, match="missing"):
        values_in(pa.array([None], kind))


def test_half_a_character_is_no_text():
    with pytest.raises(UnicodeEncodeError):
        array_of(["\ud800"], pa.string())


@pytest.mark.parametrize("rows", [3, 1003], ids=["few", "in parts"])
def test_a_run_without_papers_never_loads_pandas(rows, tmp_path):
    file = tmp_path / "opinions.csv"
    lines = [f"{number},办事窗口的同志推诿扯皮，第{number}次才办成。" for number in range(rows)]
    file.write_text("\n".join(["编号,意见", *lines]), encoding="utf-8")
    code = (
        "import sys\nfrom pipeline.run import classify\n"
        f"classify([{str(file)!r}], {str(tmp_path / 'out')!r}, jobs=1)\n"
        "sys.exit('pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out/findings.csv").exists()
