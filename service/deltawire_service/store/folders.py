"""The folder that the store lies in: the places of its files, and how they are made to last.

docs/how-a-step-is-kept.md lists the files.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from deltawire_service.store.errors import disk_errors

PARTS = ("slots", "snapshots", "segments")


@dataclass(frozen=True)
class ModelFolder:
    """The folder of one model. The paths in it are made once."""

    path: Path

    @cached_property
    def lock(self) -> Path:
        """The file that is locked by whoever changes the model."""
        return self.path / "lock"

    @cached_property
    def slots(self) -> Path:
        """The folder of parameters and optimizer state, as the steps write them."""
        return self.path / "slots"

    @cached_property
    def snapshots(self) -> Path:
        """The folder of files with the parameters and the state of one version."""
        return self.path / "snapshots"

    @cached_property
    def segments(self) -> Path:
        """The folder of files with batches that are too large for the database."""
        return self.path / "segments"


class StoreFolder(NamedTuple):
    """The folder of the store."""

    path: Path

    @property
    def database(self) -> Path:
        """The file of the database."""
        return self.path / "database.sqlite3"

    @property
    def write_lock(self) -> Path:
        """The file that is locked by whoever writes to the database."""
        return self.path / "write.lock"

    @property
    def making_lock(self) -> Path:
        """The file that is locked by whoever makes the folder of a model, or removes those left behind."""
        return self.path / "making.lock"

    @property
    def removal_lock(self) -> Path:
        """The file that is locked by whoever removes files, or copies them."""
        return self.path / "removal.lock"

    @property
    def trainer_lock(self) -> Path:
        """The file that is locked by the process that takes runs."""
        return self.path / "trainer.lock"

    @property
    def hang_report(self) -> Path:
        """The file in which the trainer says what it worked on, and where it hung if it did."""
        return self.path / "trainer.hang"

    @property
    def models(self) -> Path:
        """The folder of the models' folders."""
        return self.path / "models"

    @property
    def datasets(self) -> Path:
        """The folder of the datasets' folders."""
        return self.path / "datasets"

    def dataset(self, dataset: str) -> Path:
        """Return the file with the columns of a dataset, by its id. It is alone in its folder."""
        return self.datasets / dataset / "columns.safetensors"

    def model(self, model_id: str) -> ModelFolder:
        """Return the folder of a model."""
        return ModelFolder(self.models / model_id)

    def prepare(self) -> None:
        """Make what is missing. Raises StoreFull or StoreUnavailable."""
        with disk_errors():
            for folder in (self.models, self.datasets):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for lock in (self.write_lock, self.making_lock, self.removal_lock, self.trainer_lock):
                lock.touch(mode=0o600)
            sync_folder(self.path)

    def make_model(self, model_id: str) -> ModelFolder:
        """Make the folder of a new model, for good. Raises StoreFull or StoreUnavailable."""
        folder = self.model(model_id)
        with disk_errors():
            folder.path.mkdir(mode=0o700)
            for part in PARTS:
                (folder.path / part).mkdir(mode=0o700)
            folder.lock.touch(mode=0o600)
            sync_folder(folder.path)
            sync_folder(self.models)
        return folder

    def make_dataset(self, dataset: str) -> Path:
        """Make the folder of a new dataset, for good, and return the path of its file, which is not made.

        Raises:
            StoreFull, StoreUnavailable: the disk cannot be used.
        """
        path = self.dataset(dataset)
        with disk_errors():
            path.parent.mkdir(mode=0o700)
            sync_folder(self.datasets)
        return path

    def remove(self) -> None:
        """Remove the folder with everything in it."""
        with disk_errors():
            shutil.rmtree(self.path)

    def remove_model(self, model_id: str) -> None:
        """Remove the folder of a model that no row names any more, or that was never finished."""
        with disk_errors():
            shutil.rmtree(self.model(model_id).path)

    def remove_dataset(self, dataset: str) -> None:
        """Remove the folder of a dataset that no row names any more, or that was never finished."""
        with disk_errors():
            shutil.rmtree(self.dataset(dataset).parent)


def copy_file(source: Path, target: Path) -> None:
    """Copy a file to a new one, for good. Raises OSError."""
    shutil.copyfile(source, target)
    with opened(target, os.O_RDONLY) as descriptor:
        os.fsync(descriptor)


def remove_unnamed(folder: Path, named: frozenset[str]) -> None:
    """Remove the files that no row names. The caller holds the model's lock.

    Args:
        folder: the folder of the files.
        named: the names in the rows.

    Raises:
        StoreUnavailable: the disk fails.
    """
    with disk_errors():
        for name in os.listdir(folder):
            if name not in named:
                (folder / name).unlink()


def new_id() -> str:
    """Return a name that was never used before and never will be: 128 random bits, in hex."""
    return secrets.token_hex(16)


def sync_folder(path: Path) -> None:
    """Make the names in a folder last through a loss of power."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def opened(path: Path, flags: int) -> Iterator[int]:
    """Open a file and give its descriptor. Raises OSError.

    flags: those of os.open.
    """
    descriptor = os.open(path, flags | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def write_all(descriptor: int, data: bytes | memoryview, offset: int) -> None:
    """Write all of the bytes into a file.

    Args:
        descriptor: the file, opened.
        data: the bytes.
        offset: where the first byte goes.

    Raises:
        OSError: they cannot be written; some of them may have been.
    """
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written
