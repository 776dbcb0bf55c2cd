"""Tables of the shipped model are kept between processes, as they were made; of a model of one's own nothing is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.classifier.compiled import kept as keeping_a_models
from pipeline.classifier.compiled.kept import kept
from pipeline.classifier.compiled.read import Terms, tables_of
from pipeline.compiled import characters, keeping, mask_tables, normalising


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(keeping, "kept_folder", lambda: tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def made(reader):
    return tables_of(reader).terms


def never():
    raise AssertionError("made again")


def leaves(tables):
    for part in tables:
        if hasattr(part, "_fields"):
            yield from leaves(part)
        else:
            yield part


def test_what_is_kept_is_read_as_it_was_made(reader, folder, made):
    assert kept(Terms, reader.model, lambda: made) is made
    again = kept(Terms, reader.model, never)
    for one, other in zip(leaves(made), leaves(again), strict=True):
        assert type(one) is type(other)
        assert np.asarray(one).dtype == np.asarray(other).dtype
        np.testing.assert_array_equal(one, other)
    assert [path.suffix for path in folder.iterdir()] == [".npz"]


@pytest.mark.parametrize(
    "damage", [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: data[:-400] + b"x" * 400]
)
def test_a_damaged_file_is_made_again(reader, folder, made, damage):
    kept(Terms, reader.model, lambda: made)
    [path] = folder.iterdir()
    path.write_bytes(damage(path.read_bytes()))
    assert kept(Terms, reader.model, lambda: made) is made
    kept(Terms, reader.model, never)


def test_other_words_are_other_tables(reader, folder, made, monkeypatch):
    kept(Terms, reader.model, lambda: made)
    monkeypatch.setattr(keeping_a_models, "version", lambda library: "another")
    assert kept(Terms, reader.model, lambda: made) is made
    assert len(list(folder.iterdir())) == 2


@pytest.mark.parametrize("version", ["base-of-ones-own", "trained-beside-the-shipped"])
def test_what_a_model_of_ones_own_knows_is_not_kept(
    reader, folder, made, version, tmp_path_factory, monkeypatch
):
    checkout = tmp_path_factory.mktemp("checkout")
    (checkout / "models/trained-beside-the-shipped").mkdir(parents=True)
    monkeypatch.setattr(keeping_a_models, "SHIPPED", checkout)
    own = replace(reader.model, card={**reader.model.card, "version": version})
    assert kept(Terms, own, lambda: made) is made
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_no_harm(reader, made, monkeypatch, tmp_path):
    for folder in (None, tmp_path / "missing"):
        monkeypatch.setattr(keeping, "kept_folder", lambda folder=folder: folder)
        assert kept(Terms, reader.model, lambda: made) is made


@pytest.mark.parametrize(
    "tables", [characters.bare_forms, normalising._characters, mask_tables.tables], ids=lambda f: f.__module__
)
def test_what_is_known_of_characters_is_read_as_it_was_made(tables, folder):
    made, read = tables.__wrapped__(), tables.__wrapped__()
    assert len(list(folder.iterdir())) == 1
    for one, other in zip(
        *((part if isinstance(part, tuple) else (part,)) for part in (made, read)), strict=True
    ):
        assert one is not other
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    [path] = folder.iterdir()
    assert characters.UNICODE in path.name, "another Python may know other characters"
