"""The whole way of ``qingyi drift`` on one page: results → reference → figures and verdict → page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pipeline.classifier.files import read_card
from pipeline.documents.drift import drift_page
from pipeline.errors import InputError
from pipeline.learn.corpus import corpus_files, load_labelled
from pipeline.learn.drift import Drift, measure
from pipeline.learn.rounds import Corpus, Round, read_round
from pipeline.outputs.folder import private_file
from pipeline.outputs.stored import table_files
from pipeline.review.export import model_of
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
    now = _round(Path(folder))
    reference = _earlier(now, Path(since)) if since is not None else _corpus(now, space)
    found = measure(now, reference, space.taxonomy, Segmenter(space.lexicon), progress)
    page = drift_page(found, space.taxonomy, Path(folder))
    with private_file(Path(output or Path(folder) / PAGE)) as path:
        path.write_text(page, encoding="utf-8")
    return found


def _round(folder: Path) -> Round:
    if model_of(folder) and not table_files(folder, "opinions"):
        raise InputError(
            f"{folder} 里已经没有意见原文（opinions.parquet），可能按保存期限清除了（qingyi purge）；要看，请用原始表重新运行“qingyi classify”。"
        )
    return read_round(folder)


def _earlier(now: Round, since: Path) -> Round:
    before = _round(since)
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
