"""What must hold for any input on the whole way: no row lost, no text changed twice, what is written is read back, what is asked comes home."""

from __future__ import annotations

import csv
import itertools
import json
from dataclasses import replace

import hypothesis.strategies as st
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from hypothesis import given, settings

from pipeline import run as way
from pipeline.documents.book import Book
from pipeline.documents.review_sheet import write_review_sheet
from pipeline.intake.files import find_files
from pipeline.intake.reading import Intake
from pipeline.intake.sheets import Row, open_sheets
from pipeline.outputs.cells import csv_cell, plain_cell
from pipeline.records import UNSPECIFIED, Opinion, key_of
from pipeline.review import columns as c
from pipeline.review.answers import Question
from pipeline.review.export import batch_of
from pipeline.review.label_studio import read_tasks, tasks
from pipeline.review.sheet import read_sheets
from pipeline.review.store import Store
from pipeline.taxonomy import load_taxonomy
from pipeline.text.mask import mask
from pipeline.text.normalise import normalise
from pipeline.workspace import SHIPPED

AT = "2025-03-05T10:00:00+08:00"
CODES = load_taxonomy(SHIPPED / "data/taxonomy.toml").codes

PIECES = (
    "质检站 供应处的 物资公司 李处长 拿走两箱酒 收了 红包 办事热情 拖了半年 不公开 檢驗 電話 13912345678 １３９ 1234-5678 450103199003071234 我叫王小二 老张 "
    "， 。 ； ？ = + - @ ' \" , ; \t \n \r\n \u200b \u202e \u3000 \u0301 \u0338 e\u0301 Ａ ﬁ ① 🧧 👨\u200d👩\u200d👧 \U00020000 𝒜 &nbsp; &nb sp; _x000D_ _x0 00D_ <br> 〔姓名〕 〔 〕"
).split(" ")  # fmt: skip
SAID = st.lists(st.sampled_from([*PIECES, " "]), max_size=12).map("".join)
HALVES = st.lists(
    st.sampled_from([*PIECES, " ", "\ud83e", "\udde7", "\ud800", "\x00", "\x1f"]), max_size=12
).map("".join)


# ---- no row is lost


def as_csv(path, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(
            [("编号", "意见", "部门"), *((n, text.replace("\0", ""), about) for n, text, about in rows)]
        )


def as_xlsx(path, rows):
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        sheet = book.add_worksheet()
        for row, cells in enumerate([("编号", "意见", "部门"), *rows]):
            for column, value in enumerate(cells):
                sheet.write_string(row, column, value)


def as_jsonl(path, rows):
    records = [{"编号": n, "意见": text, "部门": about} for n, text, about in rows]
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")


def as_parquet(path, rows):
    columns = zip(*rows, strict=True) if rows else ((), (), ())
    pq.write_table(
        pa.table([pa.array(c, pa.string()) for c in columns], names=["编号", "意见", "部门"]), path
    )


FORMATS = {
    "csv": (as_csv, SAID),
    "xlsx": (as_xlsx, SAID),
    "jsonl": (as_jsonl, HALVES),
    "parquet": (as_parquet, SAID),
}


def columns_of(path, *names):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [tuple(plain_cell(row[name]) for name in names) for row in csv.DictReader(file)]


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_row_is_accepted_once_or_rejected_and_is_read_back_as_written(reader, tmp_path_factory, suffix):
    write, said = FORMATS[suffix]
    about = st.sampled_from(["", "质检站", "=供应处", "没有的处"])
    sign = st.sampled_from(["", "=", "-", "@", "'"])

    @given(st.lists(st.tuples(sign, said, about), min_size=1, max_size=8))
    @settings(max_examples=8, deadline=None)
    def holds(cells):
        folder = tmp_path_factory.mktemp("rows")
        rows = [(f"{sign}n{number}", text, about) for number, (sign, text, about) in enumerate(cells)]
        write(folder / f"a.{suffix}", rows)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(way, "open_reader", lambda _: reader)
            told = way.classify([folder / f"a.{suffix}"], folder / "out", workspace=folder, jobs=1).run
        ids = [identity for (identity,) in columns_of(folder / "out/opinions.csv", "id")]
        rejected = columns_of(folder / "out/rejected.csv", "row")
        assert told["rows_read"] == len(rows) == told["rows_accepted"] + told["rows_rejected"]
        assert (len(ids), len(rejected)) == (told["rows_accepted"], told["rows_rejected"])
        assert ids == [identity for identity, _, _ in rows if identity in set(ids)], "each once, in order"
        _findings_point_into_their_texts(folder / "out")
        _is_read_back(folder / "out")

    holds()


def _findings_point_into_their_texts(folder):
    texts = dict(columns_of(folder / "opinions.csv", "id", "text"))
    names = ("opinion_id", "evidence", "start", "end", "label", "probability")
    for identity, evidence, start, end, label, probability in columns_of(folder / "findings.csv", *names):
        assert texts[identity][int(start) : int(end)] == evidence != ""
        assert label in CODES
        assert 0 <= float(probability) <= 1


def _is_read_back(folder):
    """Our own reader finds in the csv and the Parquet file what the run wrote, but for rows without a text."""
    table = pq.read_table(folder / "opinions.parquet").to_pylist()
    written = [(row["id"], row["text"], row["department"]) for row in table if row["text"]]
    for name in ("opinions.parquet", "opinions.csv"):
        read = [item for item in Intake(find_files([folder / name])) if isinstance(item, Opinion)]
        found = [(plain_cell(item.id), item.text, plain_cell(item.department)) for item in read]
        assert found == written, name


@given(st.lists(SAID, max_size=5))
@settings(max_examples=25, deadline=None)
def test_what_a_workbook_holds_is_read_back(tmp_path_factory, said):
    texts = [text for text in map(normalise, said) if text]
    path = tmp_path_factory.mktemp("book") / "a.xlsx"
    book = Book(path)
    header = [("编号", 10, book.plain), ("意见", 40, book.wrapped)]
    book.table("意见", header, [(f"n{number}", text) for number, text in enumerate(texts)])
    book.close()
    assert [item.text for item in Intake(find_files([path])) if isinstance(item, Opinion)] == texts


@given(st.text(st.sampled_from("'=+-@\t\r甲1"), max_size=6))
def test_an_apostrophe_is_put_before_what_would_calculate_and_taken_away_again(text):
    cell = csv_cell(text)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    if cell != text:
        assert plain_cell(cell) == text


# ---- ids


@given(
    st.permutations(["a.csv", "b.csv", "c.jsonl", "d.xlsx"]),
    st.lists(SAID.filter(str.strip), min_size=1, max_size=4),
)
@settings(max_examples=8, deadline=None)
def test_ids_depend_on_their_own_file_alone(tmp_path_factory, order, texts):
    folder = tmp_path_factory.mktemp("ids")
    as_csv(folder / "a.csv", [("", text, "") for text in texts])
    as_csv(folder / "b.csv", [(f"b{number}", text, "") for number, text in enumerate(texts)])
    as_jsonl(folder / "c.jsonl", [("", text, "") for text in texts])
    as_xlsx(folder / "d.xlsx", [("", text, "") for text in texts])

    def ids(names):
        found = Intake(find_files([folder / name for name in names]))
        return [item.id for item in found if isinstance(item, Opinion)]

    alone = [ids([name]) for name in order]
    assert ids(order) == list(itertools.chain.from_iterable(alone))
    assert len(set(ids(order))) == len(ids(order))


# ---- text


@given(HALVES)
@settings(max_examples=400, deadline=None)
def test_normalising_and_masking_undo_each_other_in_no_order(text):
    clean = normalise(text)
    masked = mask(clean)
    assert normalise(clean) == clean
    assert mask(masked) == masked == normalise(masked)
    assert normalise(mask(normalise(mask(masked)))) == masked
    masked.encode()


@given(st.lists(HALVES, min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_evidence_lies_in_the_text_whatever_characters_it_has(reader, texts):
    opinions = [Opinion(id=str(number), text=text, department="供应处") for number, text in enumerate(texts)]
    for reading in reader.read(opinions):
        assert set(reading.labels) <= set(CODES)
        for found in reading.findings:
            assert 0 <= found.start < found.end <= len(reading.text)
            assert 0.0 <= found.probability <= 1.0


# ---- review


def questions(directory):
    """Questions as a run's results give them: clean texts and ids, suggestions of any departments and labels."""
    pair = st.tuples(st.sampled_from([*directory.names[:4], UNSPECIFIED]), st.sampled_from(CODES))
    word = SAID.map(lambda text: " ".join(normalise(text).split()))

    def question(drawn):
        number, tail, text, own, pairs = drawn
        identity, said = f"{number}{tail}", normalise(text) or "无"
        suggested = tuple((department, code, 0.5, 0, 1) for department, code in pairs)
        return Question(
            key=key_of(identity, said), id=identity, text=said, department=own, why="audit", suggested=suggested
        )  # fmt: skip

    drawn = st.tuples(
        st.integers(0, 99),
        word,
        SAID,
        st.one_of(word, st.sampled_from(directory.names[:4])),
        st.lists(pair, max_size=4, unique=True),
    )
    return st.lists(drawn.map(question), min_size=1, max_size=5, unique_by=lambda asked: asked.key)


def test_an_unchanged_sheet_and_unchanged_tasks_come_back_as_what_was_suggested(workspace, tmp_path_factory):
    taxonomy, directory = workspace.taxonomy, workspace.directory

    @given(questions(directory))
    @settings(max_examples=25, deadline=None)
    def holds(asked):
        root = tmp_path_factory.mktemp("desk")
        store = Store(root / "feedback")
        batch = batch_of(asked, "review", "m", taxonomy, AT)
        store.add_batch(batch)
        write_review_sheet(batch, taxonomy, directory, root / "a.xlsx")
        sheets = [_confirmed(sheet) for sheet in open_sheets(find_files([root / "a.xlsx"])[0])]
        told = {"by": "王审", "at": AT}
        _is_what_was_suggested(
            asked, read_sheets(sheets, "a.xlsx", "0" * 16, store, (taxonomy,), directory, **told)
        )
        done = tasks(batch, taxonomy, directory)
        for task in done:
            task["annotations"] = [{"completed_by": 7, "result": task["predictions"][0]["result"]}]
        (root / "a.json").write_text(json.dumps(done), encoding="utf-8")
        _is_what_was_suggested(asked, read_tasks(root / "a.json", store, (taxonomy,), directory, **told))

    holds()


def _confirmed(sheet):
    """The sheet with every verdict 对."""
    rows = [list(row.cells) for row in sheet.rows]
    if sheet.name == c.SHEET:
        for cells in rows[1:]:
            cells[rows[0].index(c.VERDICT)] = c.RIGHT
    return replace(
        sheet, rows=iter([Row(number, tuple(cells), 0.0) for number, cells in enumerate(rows, start=1)])
    )


def _is_what_was_suggested(asked, filled):
    assert (filled.problems, filled.open) == ((), 0)
    assert {answer.key: set(answer.pairs) for answer in filled.answers} == {
        question.key: set(question.pairs) for question in asked
    }
