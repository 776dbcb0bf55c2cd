"""When the categories change: the file, the new taxonomy, stored labels carried over, and the commands."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import migrating
from pipeline.carrying import (
    carried_answer,
    carry_all,
    carry_findings,
    carry_pairs,
    heirs,
    needs_review,
    present_code,
)
from pipeline.classifier.files import active_version, read_card
from pipeline.cli import main
from pipeline.errors import ResourceError
from pipeline.learn.corpus import load_labelled
from pipeline.migrating import as_toml, migrate, migration_toml, taxonomy_toml
from pipeline.migration import Carried, Migration
from pipeline.migration_files import load_migration, load_migrations
from pipeline.records import key_of
from pipeline.review.answers import Answer, Batch, Question, batch_id
from pipeline.review.store import Store
from pipeline.taxonomy import Label, Taxonomy, load_taxonomy
from pipeline.workspace import SHIPPED, Workspace

ACCUSATION = "张科长收了两万块钱才肯盖章"
HEAD = 'from = "1.0"\nto = "1.1"\n'
RENAME = '[[rename]]\nold = "stalling"\nnew = "delay"\nname_zh = "拖着不办"\n'
MERGE = '[[merge]]\nold = ["favoritism", "unfair_evaluation"]\nnew = "unfair"\n'
SPLIT = '[[split]]\nold = "gifts_and_bribes"\nnew = ["gifts", "bribes"]\n'
ADD = '[[add]]\nnew = "data_fraud"\n'
RETIRE = '[[retire]]\nold = "formalism"\n'


def definition(code, name, kind="issue"):
    return (
        f'[[labels]]\ncode = "{code}"\nname_zh = "{name}"\nname_en = "{code}"\nkind = "{kind}"\n'
        'definition = "定义"\nexcludes = ""\nfour_winds = "不适用"\nofficial_row = "其他"\nremedy = "办。"\n'
    )


DEFINED = {
    "unfair": definition("unfair", "不公"),
    "gifts": definition("gifts", "收礼"),
    "bribes": definition("bribes", "索贿"),
    "data_fraud": definition("data_fraud", "弄虚作假"),
}
FULL = HEAD + RENAME + MERGE + SPLIT + ADD + RETIRE + "".join(DEFINED.values())


@pytest.fixture
def migration(write):
    return load_migration(write("m.toml", FULL))


def step_to(version, following, body, write):
    return load_migration(write(f"{following}.toml", f'from = "{version}"\nto = "{following}"\n{body}'))


def record(number, *codes, **more):
    pairs = [["盐业公司", code] for code in codes]
    return json.dumps(
        {"id": str(number), "text": ACCUSATION, "labels": codes, "pairs": pairs, **more}, ensure_ascii=False
    )


@pytest.fixture
def root(tmp_path):
    """A workspace with a corpus of five opinions and no taxonomy of its own."""
    folder = tmp_path / "w/data/labelled"
    folder.mkdir(parents=True)
    lines = [
        record(1, "stalling", "favoritism"),
        record(2, "favoritism", "unfair_evaluation"),
        record(3, "gifts_and_bribes", "stalling"),
        record(4, "formalism"),
        record(5, "praise"),
    ]
    (folder / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return tmp_path / "w"


def answer(*codes, version="1.0", number=0):
    question = Question(
        key=key_of(str(number), ACCUSATION), id=str(number), text=ACCUSATION, department="", why="audit", suggested=()
    )  # fmt: skip
    said = Answer(
        key=question.key,
        pairs=tuple(("盐业公司", code) for code in codes),
        skipped=False,
        by="甲",
        at="2025-01-01T00:00:00+08:00",
        batch="b",
        source="s.xlsx",
        model="m",
        taxonomy=version,
        suggested=(),
    )
    return question, said


def test_a_new_taxonomy_keeps_the_old_order(workspace, migration):
    after = migration.apply(workspace.taxonomy)
    assert after.version == "1.1"
    assert after.codes == tuple(
        "product_solicitation preferential_supply relatives_business cold_treatment unfair gifts bribes "
        "banquets_and_travel arbitrary_charges delay retaliation opacity other_issue data_fraud praise suggestion".split()
    )
    old = workspace.taxonomy["stalling"]
    assert after["delay"] == old.model_copy(update={"code": "delay", "name_zh": "拖着不办"})
    assert after["gifts"].name_zh == "收礼"


def test_a_merge_or_a_split_may_keep_a_code_and_give_it_a_new_definition(workspace, write):
    body = '[[merge]]\nold = ["favoritism", "unfair_evaluation"]\nnew = "unfair_evaluation"\n'
    body += '[[split]]\nold = "stalling"\nnew = ["silence", "stalling"]\n'
    body += definition("silence", "石沉大海") + definition("unfair_evaluation", "办事不公")
    after = load_migration(write("m.toml", HEAD + body)).apply(workspace.taxonomy)
    assert after.codes[4:6] == ("unfair_evaluation", "gifts_and_bribes")
    assert after["unfair_evaluation"].name_zh == "办事不公"
    assert after["stalling"] == workspace.taxonomy["stalling"]
    assert after.codes.index("silence") == after.codes.index("stalling") - 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('from = "1.0"\n', "的 to 没有填。"),
        (HEAD + "x =\n", "不是有效的 TOML（Invalid value (at line 3, column 4)）。"),
        (HEAD + "[[renames]]\n", "的 renames 不是认识的项目，请删去或改正拼写。"),
        (HEAD + RENAME + "[[rename]]\nold = 'a'\nnew = 'b'\nwhy = 'x'\n", "的 第 2 个 [[rename]] 的 why 不是认识的项目，请删去或改正拼写。"),
        (HEAD + RENAME.replace("delay", "Delay!"), "的 第 1 个 [[rename]] 的 new 应为小写英文与下划线。"),
        (HEAD + "[[merge]]\nold = ['stalling']\nnew = 'b'\n", "的 第 1 个 [[merge]] 的 old 至少要写两个。"),
        ('from = "1.0"\nto = "../x"\n', "的 to 应为字母、数字、点或横线。"),
        (HEAD.replace("1.0", "0.9") + RETIRE, "：from 是 0.9，现在的问题类型表却是 1.0 版。"),
        (HEAD.replace("1.1", "1.0") + RETIRE, "：to 与 from 相同；请给新的版本号。"),
        (HEAD, "：没有一步改动；请写 rename、merge、split、add 或 retire。"),
        (HEAD + RETIRE.replace("formalism", "formalisms"), "：第 1 个 [[retire]] 的标签代码“formalisms”不认识，最接近的是“formalism”。"),
        (HEAD + RENAME.replace("delay", "praise"), "：第 1 个 [[rename]] 的新代码“praise”原来就有，请另取一个。"),
        (HEAD + RENAME + RETIRE.replace("formalism", "stalling"), "：第 1 个 [[retire]] 与 第 1 个 [[rename]] 都用了代码“stalling”，一个代码只能用在一步里。"),
        (HEAD + ADD + ADD + DEFINED["data_fraud"], "：第 2 个 [[add]] 与 第 1 个 [[add]] 都用了代码“data_fraud”，一个代码只能用在一步里。"),
        (HEAD + SPLIT + DEFINED["gifts"], "：第 1 个 [[split]] 的新类别“bribes”没有定义，请补上它的 [[labels]]。"),
        (HEAD + RETIRE + DEFINED["gifts"], "：第 1 个 [[labels]] 定义了“gifts”，却没有哪一步用到它；请删去或补上那一步。"),
        (HEAD + ADD + 2 * DEFINED["data_fraud"], "：第 2 个 [[labels]] 又定义了一次“data_fraud”，请只留一个。"),
        (HEAD + RENAME + definition("delay", "慢"), "：“delay”既有 [[labels]] 定义，rename 里又写了 name_zh；请只留一处。"),
        (HEAD + ADD + definition("data_fraud", "表扬肯定"), "：各步做完，中文名“表扬肯定”有两个类别在用，请改为唯一。"),
    ],
)  # fmt: skip
def test_a_wrong_migration_is_refused_by_place_and_leaves_no_trace(root, write, content, message):
    with pytest.raises(ResourceError) as refused:
        migrate(root, write("m.toml", content))
    assert str(refused.value) == f"迁移文件 m.toml{' ' if message[0] in '的不' else ''}{message}"
    assert [path.name for path in (root / "data").iterdir()] == ["labelled"]


def test_no_label_left_is_refused(workspace, write):
    body = "".join(f'[[retire]]\nold = "{code}"\n' for code in workspace.taxonomy.codes)
    with pytest.raises(ResourceError, match=r"^各步做完，一个类别也不剩。$"):
        load_migration(write("m.toml", HEAD + body)).apply(workspace.taxonomy)


@pytest.mark.parametrize(
    ("codes", "becomes", "waiting"),
    [
        (["stalling", "praise"], ("delay", "praise"), ()),
        (["favoritism", "unfair_evaluation"], ("unfair",), ()),
        (["gifts_and_bribes", "stalling"], ("delay",), ("bribes", "gifts")),
        (["formalism"], (), ()),
        ([], (), ()),
    ],
)
def test_a_stored_label_set_is_carried_over(migration, codes, becomes, waiting):
    assert migration.carry(codes) == Carried(
        becomes, frozenset({"data_fraud", *waiting}), frozenset(waiting)
    ), "nobody was asked about the added label, and a split one waits"


@pytest.mark.parametrize(
    ("code", "present"),
    [
        ("stalling", "delay"),
        ("favoritism", "unfair"),
        ("delay", "delay"),
        ("praise", "praise"),
        ("gifts_and_bribes", "gifts_and_bribes"),
        ("formalism", "formalism"),
    ],
)
def test_a_code_of_any_version_is_told_by_its_present_one_where_that_is_certain(
    workspace, migration, code, present
):
    assert present_code((migration,), code, migration.apply(workspace.taxonomy)) == present
    assert present_code((), code, workspace.taxonomy) == code


def test_the_heirs_of_a_label_are_all_that_may_mean_it(migration):
    assert heirs((migration,), ["gifts_and_bribes", "stalling", "formalism"]) == {"gifts", "bribes", "delay"}
    assert heirs((), ["stalling"]) == {"stalling"}


def test_a_label_that_keeps_its_code_in_a_split_stays_and_still_waits(write):
    kept = load_migration(write("m.toml", HEAD + SPLIT.replace('"gifts",', '"gifts_and_bribes",')))
    assert kept.carry(["gifts_and_bribes"]) == Carried(
        ("gifts_and_bribes",), frozenset({"bribes"}), frozenset({"bribes"})
    )
    assert kept.carry(["praise"]) == Carried(("praise",))


def test_what_one_migration_leaves_open_the_next_carries_on(migration, write):
    body = '[[rename]]\nold = "bribes"\nnew = "extortion"\n'
    body += '[[merge]]\nold = ["data_fraud", "delay"]\nnew = "delay"\n[[retire]]\nold = "gifts"\n'
    chain = (migration, step_to("1.1", "1.2", body, write))
    assert carry_all(chain, ["gifts_and_bribes"], "1.0") == Carried(
        (), frozenset({"extortion", "delay"}), frozenset({"extortion"})
    )
    assert carry_all(chain, ["stalling"], "1.0") == Carried(("delay",)), "certain by one is certain"
    assert carry_all(chain, ["gifts", "delay"], "1.1") == Carried(("delay",), frozenset())
    assert carry_all(chain, ["delay", "delay"], "1.2") == Carried(("delay",))
    assert carry_pairs(chain, [("甲", "stalling"), ("乙", "gifts_and_bribes")], "1.0") == (("甲", "delay"),)
    with pytest.raises(ResourceError, match=r"^有按问题类型表 7 版标的记录，迁移记录里没有这一版；"):
        carry_all(chain, ["praise"], "7")
    assert carry_all((), ["a", "a"], "7") == Carried(("a",)), "without migrations nothing changes"


@given(
    st.sets(st.sampled_from([label.code for label in load_taxonomy(SHIPPED / "data/taxonomy.toml").labels]))
)
def test_carried_codes_are_of_the_new_taxonomy_and_either_certain_or_open(codes):
    taxonomy = load_taxonomy(SHIPPED / "data/taxonomy.toml")
    migration = Migration.model_validate(tomllib.loads(FULL))
    carried = migration.carry(codes)
    after = migration.apply(taxonomy)
    assert carried.waiting <= carried.unknown <= set(after.codes)
    assert set(carried.codes) <= set(after.codes) - carried.unknown
    assert codes & set(after.codes) <= set(carried.codes)
    assert set(migration.recorded(taxonomy).undo(after).labels) == set(taxonomy.labels)


def test_what_is_written_loads_back_equal(workspace, migration, write):
    odd = workspace.taxonomy.labels[0].model_copy(update={"definition": '引“号"\\ 换\n行\t\x7f\x01# = [x]'})
    taxonomy = Taxonomy(version='1 "甲"', labels=(odd, *workspace.taxonomy.labels[1:]))
    assert load_taxonomy(write("t.toml", taxonomy_toml(taxonomy))) == taxonomy
    recorded = migration.recorded(workspace.taxonomy)
    assert load_migration(write("r.toml", migration_toml(recorded))) == recorded
    assert as_toml({"a": True, "b": ["x"], "t": [{"c": "y"}]}) == 'a = true\nb = ["x"]\n\n[[t]]\nc = "y"\n'


def test_migrating_keeps_the_old_and_never_touches_the_shipped(root, write):
    shipped = (SHIPPED / "data/taxonomy.toml").read_bytes()
    file = write("m.toml", FULL)
    planned = migrate(root, file)
    assert {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()} == {
        "data/labelled/a.jsonl", "data/migrations/.lock", "data/migrations/0001-1.0-1.1.toml",
        "data/taxonomy-1.0.toml", "data/taxonomy.toml",
    }  # fmt: skip
    assert (SHIPPED / "data/taxonomy.toml").read_bytes() == shipped
    assert (root / "data/taxonomy-1.0.toml").read_bytes() == shipped
    space = Workspace(root=root)
    assert space.taxonomy == planned.after
    assert space.migrations == (planned.migration,)
    with pytest.raises(ResourceError, match=r"^迁移文件 m.toml：from 是 1.0，现在的问题类型表却是 1.1 版。$"):
        migrate(root, file)
    back = write("back.toml", 'from = "1.1"\nto = "1.0"\n[[retire]]\nold = "delay"\n')
    with pytest.raises(
        ResourceError, match=r"^迁移文件 back.toml：to 写的 1.0 版已经用过；请给新的版本号。$"
    ):
        migrate(root, back)
    migrate(root, write("n.toml", 'from = "1.1"\nto = "1.2"\n[[retire]]\nold = "delay"\n'))
    assert [m.new_version for m in Workspace(root=root).migrations] == ["1.1", "1.2"]


@pytest.mark.parametrize("fails_at", ["taxonomy-1.0.toml", "0001-1.0-1.1.toml", "taxonomy.toml"])
def test_a_kill_at_any_file_leaves_the_old_state_and_it_can_be_done_again(root, write, monkeypatch, fails_at):
    file = write("m.toml", FULL)
    replace = Path.replace

    def killed(self, target):
        if Path(target).name == fails_at:
            raise KeyboardInterrupt
        return replace(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            migrate(root, file)
    space = Workspace(root=root)
    assert (space.taxonomy.version, space.migrations) == ("1.0", ())
    assert load_labelled([root / "data/labelled/a.jsonl"], space.taxonomy, space.directory, space.migrations)
    other = write("other.toml", FULL.replace('"1.1"', '"2.0"'))
    migrate(root, other)
    assert [m.new_version for m in Workspace(root=root).migrations] == ["2.0"]


def test_migrations_that_do_not_chain_are_refused(root, write, migration):
    folder = write("chain/0001-a.toml", FULL).parent
    write("chain/0002-b.toml", FULL.replace('from = "1.0"', 'from = "1.3"').replace('"1.1"', '"1.4"'))
    with pytest.raises(ResourceError, match=r"^迁移记录 0002-b.toml 从 1.3 版起，前一份却到 1.1 版；"):
        load_migrations(folder)
    write("chain/0002-b.toml", 'from = "1.1"\nto = "1.0"\n')
    with pytest.raises(ResourceError, match=r"^迁移记录 0002-b.toml 又回到 1.0 版；请给没有用过的版本号。$"):
        load_migrations(folder)
    assert load_migrations(root / "none") == ()
    migrate(root, write("m.toml", FULL))
    own = root / "data/taxonomy.toml"
    own.write_text(own.read_text("utf-8").replace('version = "1.1"', 'version = "3"'), "utf-8")
    with pytest.raises(
        ResourceError, match=r"^问题类型表是 3 版，data/migrations 里的迁移记录却只到 1.1 版；"
    ):
        _ = Workspace(root=root).migrations
    with pytest.raises(ResourceError, match=r"没有记下“favoritism”原来的定义；"):
        migration.undo(migration.apply(Workspace(root=SHIPPED).taxonomy))


def read(root, *paths):
    space = Workspace(root=root)
    return load_labelled(paths, space.taxonomy, space.directory, migrations=space.migrations)


def test_the_corpus_is_carried_over_as_it_is_read(root, write):
    stored = (root / "data/labelled/a.jsonl").read_bytes()
    migrate(root, write("m.toml", FULL))
    items = read(root, root / "data/labelled/a.jsonl")
    added = frozenset({"data_fraud"})
    assert [(item.labels, item.unknown) for item in items] == [
        (("unfair", "delay"), added),
        (("unfair",), added),
        (("delay",), added | {"gifts", "bribes"}),
        ((), added),
        (("praise",), added),
    ]
    assert [sorted(item.waiting) for item in items] == [[], [], ["bribes", "gifts"], [], []]
    assert items[1].pairs == {("盐业公司", "unfair")}
    assert items[2].pairs == {("盐业公司", "delay")}
    assert (root / "data/labelled/a.jsonl").read_bytes() == stored


def test_a_record_says_its_version_and_a_file_that_does_not_is_of_the_one_that_knows_its_labels(root, write):
    migrate(root, write("m.toml", FULL))
    said = write("said.jsonl", record(1, "praise", taxonomy="1.1") + "\n" + record(2, "stalling"))
    assert [(item.labels, sorted(item.unknown)) for item in read(root, said)] == [
        (("praise",), []),
        (("delay",), ["data_fraud"]),
    ]
    new = write("new.jsonl", record(1, "praise") + "\n" + record(2, "bribes"))
    assert [(item.labels, sorted(item.unknown)) for item in read(root, new)] == [
        (("praise",), []),
        (("bribes",), []),
    ]
    old_names = write("names.csv", "意见内容,标签\n拖,推诿拖延\n好,表扬肯定\n")
    assert [item.labels for item in read(root, old_names)] == [("delay",), ("praise",)]
    new_names = write("names.csv", "意见内容,标签\n拖,拖着不办\n好,表扬肯定\n")
    assert [(item.labels, item.unknown) for item in read(root, new_names)] == [
        (("delay",), frozenset()),
        (("praise",), frozenset()),
    ]
    with pytest.raises(ResourceError) as refused:
        read(root, write("x.jsonl", record(1, "praise", taxonomy="0.1")))
    assert str(refused.value) == "标注文件 x.jsonl 第 1 行：没有问题类型表 0.1 版；有的版本：1.0、1.1。"
    with pytest.raises(ResourceError) as refused:
        read(root, write("y.jsonl", record(1, "praise") + "\n" + record(2, "stallin")))
    assert str(refused.value) == (
        "标注文件 y.jsonl 第 2 行：未知的标签代码“stallin”，最接近的是“stalling”。"
        '（按 1.0 版读；按别的版本标的，请在记录里写明，如 "taxonomy": "1.1"）'
    )  # fmt: skip


def test_answers_are_carried_over_and_a_split_asks_again(migration):
    _, said = answer("gifts_and_bribes", "stalling")
    assert carried_answer(said, (migration,)) == (
        (("盐业公司", "delay"),),
        frozenset({"gifts", "bribes", "data_fraud"}),
        frozenset({"gifts", "bribes"}),
    )
    assert needs_review(said, (migration,))
    assert not needs_review(said, ())
    assert not needs_review(answer("stalling")[1], (migration,))
    assert not needs_review(answer("gifts", version="1.1")[1], (migration,))


def test_rounds_are_compared_exactly_or_not_at_all(workspace, migration):
    rows = [
        ("1", "盐业公司", "favoritism", 0.6),
        ("1", "盐业公司", "unfair_evaluation", 0.9),
        ("1", "人事教育处", "unfair_evaluation", 0.7),
        ("2", "盐业公司", "stalling", 0.8),
        ("2", "盐业公司", "gifts_and_bribes", 0.8),
        ("3", "盐业公司", "formalism", 0.8),
    ]
    frame = pd.DataFrame(rows, columns=["opinion_id", "department", "label", "probability"])
    after = migration.apply(workspace.taxonomy)
    carried = carry_findings(frame, (migration,), "1.0", after)
    assert list(carried.findings.itertuples(index=False, name=None)) == [
        ("1", "盐业公司", "unfair", 0.9),
        ("1", "人事教育处", "unfair", 0.7),
        ("2", "盐业公司", "delay", 0.8),
    ], "an opinion with both merged labels counts once"
    assert carried.incomparable == {
        "gifts": "split", "bribes": "split", "data_fraud": "add", "formalism": "retire", "gifts_and_bribes": "split",
    }  # fmt: skip
    same = carry_findings(carried.findings, (migration,), "1.1", after)
    assert (same.findings.equals(carried.findings), same.incomparable) == (True, {})
    with pytest.raises(ResourceError, match=r"^未知的标签代码“stallin”"):
        carry_findings(frame.assign(label="stallin"), (migration,), "1.0", after)


def test_what_cannot_be_compared_stays_so_down_the_chain(workspace, migration, write):
    body = '[[merge]]\nold = ["bribes", "delay"]\nnew = "money"\n[[rename]]\nold = "opacity"\nnew = "formalism"\n'
    second = step_to("1.1", "1.2", body + definition("money", "钱"), write)
    after = second.apply(migration.apply(workspace.taxonomy))
    frame = pd.DataFrame(
        [("1", "", "stalling"), ("1", "", "opacity"), ("1", "", "formalism")],
        columns=["opinion_id", "department", "label"],
    )
    carried = carry_findings(frame, (migration, second), "1.0", after)
    assert list(carried.findings["label"]) == ["formalism"], "the present label of an old, retired one's code"
    assert carried.incomparable == {
        "gifts": "split", "money": "split", "data_fraud": "add", "gifts_and_bribes": "split",
    }  # fmt: skip


@pytest.fixture
def run(capsys, root, monkeypatch):
    """Run ``qingyi taxonomy …`` in the workspace; returns (status, lines of output, standard error)."""
    monkeypatch.chdir(root)

    def call(*words):
        with pytest.raises(SystemExit) as done:
            main(["taxonomy", *map(str, words)])
        printed = capsys.readouterr()
        return done.value.code or 0, printed.out.splitlines(), printed.err

    return call


STEPS = [
    "问题类型表 1.0 版 → 1.1 版：",
    "  改名：推诿拖延（stalling） → 拖着不办（delay）；语料 2 件，复核 0 件。",
    "  合并：厚此薄彼（favoritism）、评比不公（unfair_evaluation） → 不公（unfair）；语料 2 件，复核 0 件。",
    "  拆分：收受财物（gifts_and_bribes） → 收礼（gifts）、索贿（bribes）；语料 1 件，复核 1 件要重新看。注意：原来受保护，改后不再受保护。",
    "  新增：弄虚作假（data_fraud）；语料 5 件，复核 2 件都没有问过这一类。",
    "  停用：形式主义（formalism）；语料 1 件，复核 0 件不再算这一类。",
]


def test_the_commands_from_check_to_check(run, root, write):
    store = Store(root / "feedback")
    asked = [answer("gifts_and_bribes", number=1), answer("praise", number=2)]
    questions = tuple(question for question, _ in asked)
    identity = batch_id("review", "m", "1.0", questions)
    batch = Batch(id=identity, kind="review", model="m", taxonomy="1.0", at="2025", questions=questions)
    store.add_batch(batch)
    store.add_answers([said for _, said in asked])
    file = write("m.toml", FULL)
    assert run("check")[1][:3] == [
        "问题类型表 1.0 版：16 类（问题 14，表扬 1，建议 1）。",
        "受保护的：收受财物、打击报复。",
        "没有改过。",
    ]
    before = sorted(root.rglob("*"))
    closing = f"以上是会做的，还没有改动；要改，请运行“qingyi taxonomy migrate {file}”。"
    assert run("check", file) == (0, [*STEPS, closing], "")
    assert sorted(root.rglob("*")) == before
    assert run("migrate", file) == (
        0,
        [
            *STEPS,
            "已改为 1.1 版，共 16 类；旧表在 data/taxonomy-1.0.toml。",
            "下一步，训练：qingyi train（没有新标注时 qingyi models build），新类别还没有例子，先不会判出。",
            "再用 qingyi report 重新判一遍意见。",
            "然后复核：qingyi review export 结果文件夹 -o 复核.xlsx（拆分过的会再问一遍），导入后再训练。",
        ],
        "",
    )
    status, lines, _ = run("check")
    assert status == 0
    assert lines[:3] == [
        "问题类型表 1.1 版：16 类（问题 14，表扬 1，建议 1）。",
        "受保护的：打击报复。",
        "改过 1 次：1.0 → 1.1。",
    ]
    assert lines[3].endswith(" 是按另一份表训练的，不能用；请运行“qingyi train”重新训练。")
    assert lines[4:] == [
        "模型没有见过的类别：收礼、索贿、弄虚作假。",
        "类别拆分以后等着重新看的复核：1 件（qingyi review export 会再问）。",
    ]


def test_a_taxonomy_file_is_checked_against_the_present_one(run, workspace, write):
    labels = [label for label in workspace.taxonomy.labels if label.code != "formalism"]
    new = Label(**{**labels[0].model_dump(), "code": "fraud", "name_zh": "作假"})
    file = write("t.toml", taxonomy_toml(Taxonomy(version="2", labels=(new, *labels))))
    assert run("check", file) == (
        0,
        [
            "问题类型表 2 版：16 类（问题 14，表扬 1，建议 1）。",
            "受保护的：收受财物、打击报复。",
            "与现在的 1.0 版比：多 1 类，少 1 类。",
            "多的：作假（fraud）。",
            "少的：形式主义（formalism）。",
            "提示：直接换上，已存的标注会认不出来；请写迁移文件，用“qingyi taxonomy migrate”改（见 docs/taxonomy.md）。",
        ],
        "",
    )
    assert run("check", "none.toml") == (2, [], "错误：读不到问题类型表 none.toml：路径不存在。\n")
    assert run("migrate", "none.toml") == (2, [], "错误：读不到迁移文件 none.toml：路径不存在。\n")


def test_labels_the_model_hardly_saw_are_named(root):
    folder = root / "models/m"
    folder.mkdir(parents=True)
    (root / "models/active").write_text("m\n", "utf-8")
    space = Workspace(root=root)
    support = dict.fromkeys(space.taxonomy.codes, 50) | {"stalling": 49, "opacity": 0, "formalism": 4}
    shipped = read_card(SHIPPED / "models", active_version(SHIPPED / "models"))
    card = {**shipped, "version": "m", "support": support, "unseen": ["opacity", "formalism"]}
    (folder / "card.json").write_text(json.dumps(card), "utf-8")
    found = migrating.standing(space)
    assert (found.fits, found.unseen, found.hardly_seen) == (True, ("opacity", "formalism"), ("stalling",))


def test_the_example_in_the_docs_applies(workspace, write):
    page = (SHIPPED / "docs/taxonomy.md").read_text("utf-8")
    example = page.split("```toml\n")[1].split("```")[0]
    load_migration(write("m.toml", example)).apply(workspace.taxonomy)
