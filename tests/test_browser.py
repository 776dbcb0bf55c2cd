"""The leaders' page in a browser: filters, panel, search, sorting, keyboard, print, and no request to anywhere."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from pipeline.aggregate.intervals import wilson
from pipeline.directory import KINDS
from pipeline.documents.facts import SMALL
from pipeline.documents.page import write_page
from pipeline.records import UNSPECIFIED
from tests.test_page import HOSTILE, invent, named

pytest.importorskip("playwright", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
QUIET = (
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield started
        started.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Files by name, each with its facts."""
    folder = tmp_path_factory.mktemp("pages")
    made = {"sample": invent(22, 500, months=5), "big": invent(200, 3000), "hostile": named(HOSTILE, HOSTILE)}
    for name, facts in made.items():
        write_page(facts, folder / f"{name}.html")
    return {name: (folder / f"{name}.html", facts) for name, facts in made.items()}


@pytest.fixture
def visit(browser, pages):
    """Open a page at a state; afterwards there must have been no error and no request but the file itself."""
    contexts, errors, requests = [], [], []

    def go(name="sample", state="", width=1280, **options):
        path, facts = pages[name]
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        context.set_default_timeout(5000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: errors.append(message.text))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: requests.append(request.url.split("#")[0]))
        page.goto(f"file://{path}{state}")
        return page, facts

    yield go
    for context in contexts:
        context.close()
    assert errors == []
    assert set(requests) <= {f"file://{path}" for path, _ in pages.values()}


def cell(page, department, label):
    place = page.evaluate("code => document.querySelector(`#heat th[data-label=${code}]`).cellIndex", label)
    row = page.locator("#heat tr[data-n]", has=page.get_by_role("link", name=department, exact=True))
    return row.locator("th, td").nth(place)


def heat(page):
    """The table of departments as it stands: (department, label code) → text."""
    cells = page.evaluate(
        """() => Array.from(document.querySelectorAll("#heat tr[data-n]")).flatMap((row) =>
            Array.from(document.querySelectorAll("#heat th[data-label]")).map((head) =>
                [row.cells[0].textContent, head.dataset.label, row.cells[head.cellIndex].textContent]))"""
    )
    return {(department, label): text for department, label, text in cells}


def rows(page):
    """Names of the departments shown, by series."""
    return page.evaluate(
        """() => Object.fromEntries(Array.from(document.querySelectorAll("#heat tbody")).map((body) => [
            body.dataset.series || "", Array.from(body.querySelectorAll("tr[data-n]"))
            .filter((row) => row.offsetParent).map((row) => row.cells[0].textContent)]))"""
    )


def counted(facts, **where):
    cube = facts.tables.cube
    for column, value in where.items():
        cube = cube[cube[column] == value]
    return int(cube["distinct"].sum())


def panel_rows(page):
    return {
        row[0]: row[1:]
        for row in page.evaluate(
            "Array.from(document.querySelectorAll('#panel tbody tr')).map((r) => Array.from(r.cells).map((c) => c.textContent))"
        )
    }


def percent(share):
    return f"{100 * share:.1f}%"


def busiest(facts):
    """The (department, issue) with the most opinions."""
    cells = [
        c for d in facts.departments if d.name != UNSPECIFIED for c in d.cells if c.label.kind == "issue"
    ]
    return max(cells, key=lambda one: one.distinct)


def test_a_cell_opens_its_panel_with_the_tables_numbers(visit):
    page, facts = visit()
    one = busiest(facts)
    button = cell(page, one.department, one.label.code).get_by_role("button")
    assert button.get_attribute("aria-label") == f"{one.department}，{one.label.name_zh} {one.distinct} 件"
    button.click()
    panel = page.get_by_role("dialog", name=one.department)
    assert panel.locator("h3").inner_text() == one.label.name_zh
    interval = f"（95% 区间 {percent(one.low)}–{percent(one.high)}）"
    assert panel.locator(".sum").inner_text() == f"{one.distinct} 件，估计占 {percent(one.share)}{interval}"
    assert ("意见不足" in panel.inner_text()) == (one.opinions < SMALL)
    shown = panel_rows(page)
    department = next(d for d in facts.departments if d.name == one.department)
    assert len(shown) == len(department.cells) + 1
    for found in department.cells:
        bounds = f"{percent(found.low)}–{percent(found.high)}"
        assert shown[found.label.name_zh][:3] == [str(found.distinct), percent(found.share), bounds]
        sources = dict.fromkeys(facts.tables.by_source["source"])
        expected = [
            counted(facts, department=one.department, label=found.label.code, source=s) for s in sources
        ]
        assert shown[found.label.name_zh][3:] == [str(n) for n in expected]
    by_month = panel.get_by_role("img", name=f"{one.label.name_zh}，按时间").get_attribute("aria-label")
    march = counted(facts, department=one.department, label=one.label.code, period="2025-03")
    assert f"2025年3月 {march} 件" in by_month
    panel.get_by_role("button", name="全部意见").click()
    assert panel.locator("h3").inner_text() == "全部意见"
    assert page.evaluate("document.activeElement.textContent") == "全部意见"


def test_filters_count_anew_and_stay_in_the_address(visit):
    page, facts = visit()
    page.locator("[name=source]").select_option("企业")
    page.locator("[name=period]").select_option("2025-03")
    status = page.locator("#status")
    assert status.inner_text().startswith("筛选：企业 · 2025年3月　")
    assert status.get_attribute("role") == "status"
    where = {"source": "企业", "period": "2025-03"}
    shown = heat(page)
    assert len({label for _, label in shown}) > 10
    for (department, label), text in shown.items():
        assert text == str(counted(facts, department=department, label=label, **where))
    one = next(d for d in facts.departments if counted(facts, department=d.name, label="stalling", **where))
    page.goto(page.url + f"&department={one.name}&label=stalling")
    page.reload()
    k, n = (counted(facts, department=one.name, label=label, **where) for label in ("stalling", ""))
    low, high = wilson(k, n)
    shown = panel_rows(page)[facts.taxonomy["stalling"].name_zh]
    assert shown[:3] == [str(k), percent(k / n), f"{percent(low)}–{percent(high)}"]
    assert "筛选：企业 · 2025年3月" in page.locator("#panel").inner_text()
    page.keyboard.press("Escape")
    assert not page.locator("#panel").is_visible()
    assert page.locator("[name=source]").input_value() == "企业"
    page.get_by_role("button", name="重置").click()
    assert status.inner_text().startswith("没有筛选")
    assert page.url.endswith("#all")
    assert cell(page, one.name, "stalling").text_content() == str(one.count("stalling"))


def test_an_issue_and_a_series_leave_only_what_has_to_do_with_them(visit):
    page, facts = visit(state="#issue=stalling&series=" + KINDS["company"])
    heads = page.locator("#heat thead th:visible").all_inner_texts()
    assert [re.sub(r"\s|[▲▼]", "", head) for head in heads] == [
        "部门",
        facts.taxonomy["stalling"].name_zh,
        "有效意见",
    ]
    expected = {d.name for d in facts.departments if d.series == KINDS["company"] and d.count("stalling")}
    shown = rows(page)
    assert set(shown[KINDS["company"]]) == expected
    assert sum(map(len, shown.values())) == len(expected)
    total = sum(d.count("stalling") for d in facts.departments if d.name in expected)
    assert (
        f"{len(expected)} 个部门，{facts.taxonomy['stalling'].name_zh} {total} 件"
        in page.locator("#status").inner_text()
    )
    page.locator("[name=find]").fill("没有这个部门")
    assert "没有符合的部门" in page.locator("#status").inner_text()


def test_search_narrows_and_enter_opens_the_only_one(visit):
    page, facts = visit("big")
    wanted = next(d for d in facts.departments if d.name == "第77公司")
    box = page.locator("[name=find]")
    box.press_sequentially("第77")
    found = {d.name for d in facts.departments if "第77" in d.name}
    assert {name for names in rows(page).values() for name in names} == found == {"第77公司"}
    box.press("Enter")
    assert page.get_by_role("dialog", name=wanted.name).is_visible()
    assert f"有效意见 {wanted.distinct} 件" in page.locator("#panel .status").inner_text()
    page.go_back()
    assert not page.locator("#panel").is_visible()
    assert box.input_value() == "第77"


def test_tables_sort_within_series(visit):
    page, facts = visit()
    head = page.locator("#heat th[data-label=stalling]")
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    by_name = {d.name: d for d in facts.departments}
    for names in rows(page).values():
        counts = [by_name[name].count("stalling") for name in names]
        assert counts == sorted(counts, reverse=True)
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert page.locator("#heat th[aria-sort]").count() == 1
    page.get_by_role("button", name="部门", exact=True).click()
    order = [d.name for d in facts.departments]
    for names in rows(page).values():
        assert names == [name for name in order if name in names]
    page.reload()
    assert page.locator("#heat th").first.get_attribute("aria-sort") == "ascending"
    sources = page.locator("table.origin").first
    sources.get_by_role("button", name="有效意见").click()
    shown = [int(text) for text in sources.locator("tbody td:nth-child(2)").all_inner_texts()]
    assert shown == sorted(facts.tables.by_source["opinions"], reverse=True)


def test_shares_are_shown_only_where_there_are_enough_opinions(visit):
    page, facts = visit()
    page.locator("[name=show]").select_option("share")
    shown = heat(page)
    for department in facts.departments:
        for found in department.cells:
            if found.label.kind != "suggestion":
                few = f"{found.distinct}/{department.distinct}"
                told = few if department.distinct < SMALL else percent(found.share)
                assert shown[department.name, found.label.code] == told


def test_everything_can_be_done_from_the_keyboard(visit):
    page, facts = visit()
    page.locator("#heat tbody a").first.focus()
    first = page.evaluate("document.activeElement.closest('tr').rowIndex")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.closest('tr').rowIndex") > first
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.tagName") == "BUTTON"
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    words = page.evaluate("document.activeElement.getAttribute('aria-label')")
    page.keyboard.press("Enter")
    name, rest = words.split("，")
    assert page.locator("#panel h2").inner_text().startswith(name)
    assert page.locator("#panel h3").inner_text() == rest.split()[0]
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('#panel').contains(document.activeElement)")
    page.keyboard.press("Escape")
    assert not page.locator("#panel").is_visible()
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == words
    assert len(facts.departments) > 0


def test_many_departments_are_folded_and_unfold(visit):
    page, facts = visit("big")
    series = KINDS["company"]
    of = [d for d in facts.departments if d.series == series]
    most = sorted((d.distinct for d in of), reverse=True)
    by_name = {d.name: d.distinct for d in of}
    shown = rows(page)[series]
    assert [by_name[name] for name in shown] == most[: len(shown)]
    assert len(shown) == 12
    page.get_by_role("button", name=f"显示全部 {len(of)} 个部门").first.click()
    assert len(rows(page)[series]) == len(of)
    assert page.evaluate("document.activeElement.tagName") == "A"


def test_it_prints_to_a4_whole_and_without_controls(visit, tmp_path):
    page, facts = visit("big")
    page.emulate_media(media="print")
    assert sum(map(len, rows(page).values())) == len(facts.departments)
    for control in ("#tools", "#status", "#heat .more"):
        assert not page.locator(control).first.is_visible()
    assert page.evaluate("getComputedStyle(document.body).printColorAdjust") == "exact"
    page.emulate_media(media="null")
    page.pdf(path=tmp_path / "page.pdf", prefer_css_page_size=True, print_background=True)
    if (reader := shutil.which("pdftotext")) is not None:
        text = subprocess.run(
            [reader, "-layout", tmp_path / "page.pdf", "-"], capture_output=True, text=True, check=True
        ).stdout
        assert all(d.name in text for d in facts.departments)
        sheets = [sheet for sheet in text.split("\f") if sheet.strip()]
        assert len(sheets) > 4
        assert sum("部门" in sheet for sheet in sheets) >= len(sheets) - 2
    page.goto(page.url.split("#")[0] + "#department=第77公司")
    page.emulate_media(media="print")
    assert page.locator("#panel").is_visible()
    assert not page.locator("main").is_visible()


def test_on_a_phone_nothing_is_wider_than_the_screen(visit):
    for name in ("sample", "big", "hostile"):
        page, _ = visit(name, width=390, reduced_motion="reduce")
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        page.locator("#heat tbody a").first.click()
        box = page.locator("#panel").bounding_box()
        assert (box["x"], box["width"]) == (0, 390)


def test_names_stay_text_in_the_panel(visit):
    page, facts = visit("hostile")
    for department in facts.departments:
        page.get_by_role("link", name=department.name, exact=True).last.click()
        assert page.locator("#panel h2").evaluate("e => e.firstChild.data") == department.name
        assert page.locator("#panel img, #panel script, #panel b b").count() == 0
        assert page.url.startswith("file:")
        page.keyboard.press("Escape")
    page.locator("[name=find]").fill("<script>alert")
    assert "名称含“<script>alert”" in page.locator("#status").inner_text()


def test_motion_is_only_for_those_who_want_it(visit):
    for wish, moves in (("no-preference", True), ("reduce", False)):
        page, _ = visit(reduced_motion=wish)
        page.locator("#heat tbody a").first.click()
        name = page.evaluate("getComputedStyle(document.querySelector('#panel')).animationName")
        assert (name != "none") == moves


def test_without_a_script_everything_is_there_to_read(visit):
    page, facts = visit(java_script_enabled=False)
    assert not page.locator("#tools").is_visible()
    assert not page.locator("#panel").is_visible()
    assert page.locator("#heat tr[data-n]:visible").count() == len(facts.departments)
    page.locator(".annex summary").click()
    assert page.locator(".department table:visible").count() == sum(1 for d in facts.departments if d.cells)


@pytest.mark.parametrize(("state", "width"), [("#source=企业&show=share", 390), ("panel", 1280)])
def test_an_accessibility_checker_finds_nothing(visit, state, width):
    from axe_playwright_python.sync_playwright import Axe

    page, facts = visit("sample", state if state != "panel" else "", width, reduced_motion="reduce")
    if state == "panel":
        one = busiest(facts)
        cell(page, one.department, one.label.code).get_by_role("button").click()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
