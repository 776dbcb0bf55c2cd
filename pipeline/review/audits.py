"""What people found in opinions that were drawn at random: the measure that no classifier biases."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.carrying import carried_answer
from pipeline.review.answers import Pair
from pipeline.review.store import Store
from pipeline.workspace import Workspace


def audited_pairs(space: Workspace) -> Mapping[str, frozenset[Pair]]:
    """Key of an opinion → its (department, label) pairs in the present labels, as finally decided.

    Left out are opinions that people are not sure of or disagree about, or must look at again after a change of labels.

    Raises:
        ResourceError: a file of the store is damaged.
    """
    found = {}
    for key, state in Store(space.feedback, space.migrations).states().items():
        if state.question.why == "audit" and state.final and not state.final.skipped:
            answer = carried_answer(state.final, space.migrations)
            if not answer.unknown and not answer.waiting:
                found[key] = frozenset(answer.pairs)
    return found
