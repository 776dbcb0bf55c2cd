"""The whole way of ``qingyi train`` on one page: labels → suspects → candidate → comparison → registry → pointer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pipeline.classifier.files import active_version
from pipeline.documents.gate import gate_page
from pipeline.errors import InputError
from pipeline.learn.champion import Known, champion, suspected
from pipeline.learn.corpus import Labelled, corpus_files, load_labelled
from pipeline.learn.newlabels import NewLabels, gather, keys_of, read_archive
from pipeline.learn.registry import activate, now, own_models, publish
from pipeline.learn.retrain import Outcome, retrain
from pipeline.learn.suspects import Suspect
from pipeline.workspace import Workspace, open_workspace

Listed = Sequence[tuple[str, Suspect]]


def train(
    labelled: Sequence[str | Path] = (),
    *,
    workspace: str | Path | None = None,
    unlabelled: Sequence[str | Path] = (),
    force: str = "",
    doubts: Callable[[NewLabels, Listed], None] = lambda _new, _listed: None,
    progress: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Train on the corpus, the workspace's stored answers and ``labelled`` files; promote the model if it is not worse.

    The candidate stays in the registry either way, with the page ``report.html`` that tells the verdict. ``force`` is the
    reason for promoting it even against the verdict; the registry's history keeps it. ``unlabelled`` files
    teach which words go together, where that helps; alone they will do. ``doubts`` is called before training with the new labels and those among them that look wrong: ``(id of the opinion, suspect)``.

    Raises:
        InputError, ResourceError, OutputError: see :mod:`pipeline.errors`; the active model is the one before.
    """
    space = open_workspace(Path(workspace) if workspace is not None else None)
    models = own_models(space)
    before = active_version(models)
    items = load_labelled(corpus_files(space.corpus), space.taxonomy, space.directory, space.migrations)
    corpus = Known(items, keys_of(items))
    new = gather(space, [Path(path) for path in labelled], set(corpus.keys.tolist()))
    archive = read_archive([Path(path) for path in unlabelled])
    if not (new.train or archive):
        raise InputError(
            "新标注全部落在冻结的检验部分，没有可学的；请多标一些再训练。"
            if new.frozen
            else "没有新的标注：请给出标注文件，或先用“qingyi review import”导入复核表。"
        )
    active = champion(space)
    found = suspected(new, active, corpus)
    doubts(new, found)
    outcome = retrain(
        space,
        new,
        corpus,
        archive=archive,
        active=active,
        shipped=_shipped(space),
        at=now(),
        reason=force.strip(),
        suspected=found,
        progress=progress,
    )
    page = gate_page(outcome, space.taxonomy).encode()
    publish(models, outcome.trained, _notes(outcome), {"report.html": page})
    if outcome.promoted:
        why = "训练并通过检验" if outcome.verdict.passed else f"没有通过检验，强制启用：{outcome.reason}"
        activate(models, outcome.trained.model.version, why, only_from=before)
    return outcome


def _shipped(space: Workspace) -> list[Labelled]:
    """Labelled opinions that no model learns."""
    if space.evaluation is None:
        return []
    files = corpus_files(space.evaluation)
    return load_labelled(files, space.taxonomy, space.directory, space.migrations)


def _notes(outcome: Outcome) -> dict[str, object]:
    """What the card keeps of the judgement."""
    return {
        "trained_at": outcome.at,
        "gate": {
            "passed": outcome.verdict.passed,
            "rules": [
                {"rule": rule, "kept": kept, "found": found} for rule, kept, found in outcome.verdict.rules
            ],
            "comparison": outcome.parts,
            "label_fit_p": outcome.fit,
            "suspected": [
                {"id": identity, "label": suspect.label, "given": suspect.given}
                for identity, suspect in outcome.suspected
            ],
        },
    }
