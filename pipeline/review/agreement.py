"""How far two or more people agree on the same opinions; pure functions of label sets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence


def cohen_kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> float:
    """Cohen's κ (1960) of two raters' categories for the same items, in order: agreement beyond chance.

    1 for full agreement, 0 for chance, below 0 for worse; 1 where both used one and the same category throughout.

    Raises:
        ValueError: the sequences differ in length, or are empty.
    """
    if not first or len(first) != len(second):
        message = "κ needs the same, non-empty items of both raters"
        raise ValueError(message)
    n = len(first)
    observed = sum(a == b for a, b in zip(first, second, strict=True)) / n
    theirs = Counter(second)
    by_chance = sum(count * theirs[category] for category, count in Counter(first).items()) / n**2
    return 1.0 if by_chance == 1 else (observed - by_chance) / (1 - by_chance)


def krippendorff_alpha(units: Iterable[Sequence[Hashable]]) -> float | None:
    """Krippendorff's α (2011) for nominal categories: ``units`` hold the values that raters gave each item.

    Any number of raters, any of them missing: an item with fewer than two values says nothing. 1 is full agreement, 0 is
    chance. None where no item has two values, or only one category was ever used: then nothing could disagree.
    """
    coincidences: Counter[tuple[Hashable, Hashable]] = Counter()
    for values in units:
        if len(values) > 1:
            counts = Counter(values)
            for a, n_a in counts.items():
                for b, n_b in counts.items():
                    coincidences[a, b] += n_a * (n_b - (a == b)) / (len(values) - 1)  # type: ignore[assignment]  # a share of a pair
    totals: Counter[Hashable] = Counter()
    for (a, _), share in coincidences.items():
        totals[a] += share
    n = sum(totals.values())
    expected = n**2 - sum(total**2 for total in totals.values())
    if not expected:
        return None
    disagreeing = sum(share for (a, b), share in coincidences.items() if a != b)
    return 1 - (n - 1) * disagreeing / expected


def by_label(
    answers: Mapping[str, Mapping[str, frozenset[str]]], codes: Sequence[str]
) -> dict[str, dict[str, float | int | None]]:
    """Agreement label by label, in the order of ``codes``, over items that two or more people answered.

    ``answers`` are label sets by item, then by person. Per label: ``n`` items, ``prevalence`` (share of answers with
    the label), ``alpha`` over everybody, ``kappa`` where exactly two people answered all the items, else None.
    """
    shared = [given for given in answers.values() if len(given) > 1]
    people = sorted({person for given in shared for person in given})
    paired = len(people) == 2
    found: dict[str, dict[str, float | int | None]] = {}
    for code in codes:
        units = [[code in given[person] for person in sorted(given)] for given in shared]
        flat = [value for unit in units for value in unit]
        kappa = None
        if paired and units:
            kappa = cohen_kappa([unit[0] for unit in units], [unit[1] for unit in units])
        found[code] = {
            "n": len(units),
            "prevalence": sum(flat) / len(flat) if flat else 0.0,
            "alpha": krippendorff_alpha(units),
            "kappa": kappa,
        }
    return found
