"""The whole way of ``qingyi drift`` on one page: results → reference → figures and verdict → page."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from pipeline.classifier.files import read_card
from pipeline.documents.drift import drift_page
from pipeline.errors import InputError, OutputError, cause
from pipeline.learn.corpus import corpus_files, load_labelled
from pipeline.learn.drift import Corpus, Drift, Round, measure, read_round
from pipeline.text.mask import mask
from pipeline.text.normalise import normalise
from pipeline.text.segment import Segmenter
from pipeline.workspace import Workspace, open_workspace

PAGE = "drift.html"


def drift(
    folder: str | Path,
    *,
    since: str | Path | None = None,
    workspace: str | Path | None = None,
    output: str | Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Drift:
    """Say whether a result folder's opinions have moved away from an earlier one's (``since``), or from the corpus.

    Writes the page ``output`` (default: :data:`PAGE` in the folder), which its owner alone may read and which holds no
    opinion's text.

    Raises:
        InputError: a folder holds no results or no valid opinion, or the two rounds were read by different models.
        ResourceError: the model that made the results, or the corpus, is missing or wrong.
        OutputError: the page cannot be written.
    """
    space = open_workspace(Path(workspace) if workspace is not None else None)
    now = read_round(Path(folder))
    reference = _earlier(now, Path(since)) if since is not None else _corpus(now, space)
    found = measure(now, reference, space.taxonomy, Segmenter(space.lexicon), progress)
    _write(drift_page(found, space.taxonomy, Path(folder)), Path(output or Path(folder) / PAGE))
    return found


def _earlier(now: Round, since: Path) -> Round:
    before = read_round(since)
    if before.model != now.model:
        raise InputError(
            f"两轮不是同一个模型判的（{now.model}、{before.model}），不能比；请用“qingyi classify”把 {since} 那一轮重新判一遍。"
        )
    return before


def _corpus(now: Round, space: Workspace) -> Corpus:
    card = read_card(space.models, now.model)
    items = load_labelled(corpus_files(space.corpus), space.taxonomy, space.directory, space.migrations)
    return Corpus(
        texts=tuple(mask(normalise(item.opinion.text)) for item in items),
        sources=tuple(item.source for item in items),
        reviewed_share=card["cross_validation"]["reviewed_share"],
        opinions=card["opinions"],
    )


def _write(page: str, target: Path) -> None:
    """Write a file readable by its owner only, whole or not at all."""
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".qingyi-") as staging:
            made = Path(staging) / PAGE
            made.write_text(page, encoding="utf-8")
            os.chmod(made, 0o600)  # noqa: PTH101  # as every file of a round
            made.replace(target)
    except OSError as error:
        raise OutputError(f"不能写入 {target}：{cause(error)}。") from None
