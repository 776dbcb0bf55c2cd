"""Commendation: each rule alone, its figures against published values and other implementations, and never too lenient."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from pipeline.aggregate.commendation import Rules, commend, false_finding_rates, upper_bound

ISSUES = ("stalling", "opacity", "gifts_and_bribes", "retaliation")
PROTECTED = ("gifts_and_bribes", "retaliation")
RATES = {"stalling": 0.01, "opacity": 0.01, "gifts_and_bribes": 0.002, "retaliation": 0.002}


def frames(*departments):
    """The two tables for (name, opinions, praised, {label: found}); every opinion has one issue at most."""
    summary = pd.DataFrame(
        [(name, code, found.get(code, 0)) for name, _, _, found in departments for code in ISSUES],
        columns=["department", "label", "count_distinct"],
    )
    by_department = pd.DataFrame(
        [
            (name, "" if name == "未指明" else "office", opinions, sum(found.values()), praised)
            for name, opinions, praised, found in departments
        ],
        columns=["department", "kind", "opinions_distinct", "issue_distinct", "praise_distinct"],
    )
    return summary, by_department


def verdicts(*departments, protected=PROTECTED, rates=None, rules=None):
    summary, by_department = frames(*departments)
    return commend(summary, by_department, ISSUES, protected, rates or RATES, rules)


def verdict(opinions, praised, rules=None, **found):
    (one,) = verdicts(("甲处", opinions, praised, found), rules=rules)
    return one


def test_a_department_praised_by_many_and_blamed_by_none_is_commended():
    one = verdict(60, 12)
    assert one.commended
    assert one.reasons == ()
    assert (one.department, one.kind, one.opinions, one.praised, one.issues) == ("甲处", "office", 60, 12, 0)
    assert one.praise_share == 0.2
    assert one.found == ()
    assert one.issue_bound == pytest.approx(1 - 0.05 ** (1 / 60))


@pytest.mark.parametrize(
    ("one", "reasons"),
    [
        (verdict(40, 4), ("little praise",)),
        (verdict(120, 11), ("small share of praise",)),
        (verdict(28, 12), ("few opinions",)),
        (verdict(29, 12), ()),
        (verdict(0, 0), ("little praise", "few opinions")),
        # each label as often as false findings may be, but together too many opinions to say that issues are rare
        (verdict(60, 12, stalling=1, opacity=1), ("issue share",)),
        (verdict(300, 60, stalling=12), ("issue found",)),
        (verdict(300, 60, stalling=4), ()),
        (verdict(100, 60, gifts_and_bribes=1), ("protected issue found",)),
        (verdict(100, 60, retaliation=1), ("protected issue found",)),
        (verdict(600, 100, retaliation=1), ()),  # 1.2 false ones are expected
        (verdict(600, 100, retaliation=2), ("protected issue found",)),
        (
            verdict(100, 3, stalling=40, retaliation=8),
            ("little praise", "small share of praise", "issue share", "issue found", "protected issue found"),
        ),
    ],
)
def test_reasons_are_all_that_speak_against_it(one, reasons):
    assert one.reasons == reasons
    assert one.commended == (not reasons)


def test_upper_bound_as_published():
    """Hanley & Lippman-Hand (1983), If nothing goes wrong, is everything all right?: 0 of n bounds a share by 3/n."""
    for n in (50, 100, 1000):
        assert upper_bound(0, n, 0.95) == pytest.approx(3 / n, rel=0.04)
    # the usual tables of Clopper and Pearson (1934): 0 of 10 and 5 of 10, two-sided 95 %
    assert upper_bound(0, 10, 0.975) == pytest.approx(0.3085, abs=5e-5)
    assert upper_bound(5, 10, 0.975) == pytest.approx(0.8129, abs=5e-5)


@given(st.integers(1, 400), st.floats(0, 1), st.floats(0.5, 0.99))
def test_upper_bound_is_clopper_and_pearsons(n, share, confidence):
    hits = round(n * share)
    _, high = proportion_confint(hits, n, alpha=2 * (1 - confidence), method="beta")
    assert upper_bound(hits, n, confidence) == pytest.approx(1.0 if hits == n else high)
    assert upper_bound(0, 0, confidence) == 1


def test_figures_of_issues_are_exact_tests_adjusted_for_all_labels():
    one = verdict(200, 60, stalling=7, opacity=1, gifts_and_bribes=1)
    counts = {"stalling": 7, "opacity": 1, "gifts_and_bribes": 1, "retaliation": 0}
    p = [binomtest(k, 200, RATES[code], alternative="greater").pvalue for code, k in counts.items()]
    q = multipletests(p, method="fdr_bh")[1]
    assert [(figure.label, figure.found) for figure in one.found] == list(counts.items())[:3]
    np.testing.assert_allclose([figure.q for figure in one.found], q[:3])
    np.testing.assert_allclose([figure.expected for figure in one.found], [2, 2, 0.4])


def test_false_findings_alone_rarely_count_as_an_issue_found():
    rng = np.random.default_rng(11)
    drawn = rng.binomial(100, list(RATES.values()), (400, len(ISSUES))).tolist()
    departments = [
        (f"处{d}", 100, 50, dict(zip(ISSUES, found, strict=True))) for d, found in enumerate(drawn)
    ]
    held_against = sum("issue found" in one.reasons for one in verdicts(*departments, protected=()))
    assert held_against <= 0.05 * 400


def test_with_issues_in_a_tenth_of_all_opinions_one_in_twenty_at_most_is_commended():
    rng = np.random.default_rng(11)
    drawn = rng.binomial(100, 0.1, 400).tolist()
    departments = [(f"处{d}", 100, 50, {"stalling": found}) for d, found in enumerate(drawn)]
    assert sum(one.commended for one in verdicts(*departments)) <= 0.05 * 400


def test_limits_can_be_stated_otherwise():
    strict = Rules(praise=20, praise_share=0.5, issue_share=0.05, confidence=0.99)
    assert verdict(60, 12, strict).reasons == ("little praise", "small share of praise", "few opinions")
    assert verdict(60, 12, Rules(issue_share=0.12), stalling=1, opacity=1).commended


def test_every_named_department_has_a_verdict_in_order():
    unspecified: tuple[str, int, int, dict[str, int]] = ("未指明", 90, 40, {})
    both = verdicts(("乙处", 60, 12, {}), ("甲处", 3, 0, {"stalling": 1}), unspecified)
    assert [(one.department, one.commended) for one in both] == [("乙处", True), ("甲处", False)]
    assert verdicts(unspecified) == ()


def test_rates_of_false_findings_from_a_confusion():
    # 1,000 opinions, 100 with the label: 60 of them found, and 20 others
    measured = {
        "stalling": {"precision": 60 / 80, "recall": 60 / 100, "support": 100},
        "opacity": {"precision": 0.0, "recall": 0.0, "support": 10},
        "praise": {"precision": 1.0, "recall": 0.5, "support": 1000},
    }
    rates = false_finding_rates(measured, 1000)
    assert rates == {"stalling": pytest.approx(20 / 900), "opacity": 0, "praise": 0}
    # with a rate of 0 whatever is found counts
    (one,) = verdicts(("甲处", 300, 60, {"opacity": 1}), rates={**RATES, **rates})
    assert one.reasons == ("issue found",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"false_findings": {"stalling": 0.01}}, "rate of false findings is missing"),
        ({"false_findings": {**RATES, "opacity": 1.1}}, "not within"),
        ({"protected": ("praise",)}, "protected label is not among the issues"),
        (
            {"issues": (*ISSUES, "formalism"), "false_findings": {**RATES, "formalism": 0.1}},
            "missing in the summary",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(change, message):
    summary, by_department = frames(("甲处", 60, 12, {}))
    arguments = {"issues": ISSUES, "protected": PROTECTED, "false_findings": RATES, **change}
    with pytest.raises(ValueError, match=message):
        commend(summary, by_department, **arguments)
