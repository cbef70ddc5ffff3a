"""The disk is full, read-only, or gone for a while; a store is exported while its model is stepped.

    PYTHONPATH=tests python -m torture.full_disks [--short]

Needs the rights to mount: the folder of the models is a small file system in memory. Whatever fails is said
with a code, changes nothing, and is over with its cause. An export that is imported elsewhere has the bits of
the version that it says.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
from support.models import ADAM, SPEC, batch
from support.service import environment, running_service
from torture.load import arguments, report

from deltawire import Client, Model, Network
from deltawire.errors import DeltawireError
from deltawire.retries import Retries

DISK_MIB = 64
FREE_BYTES = str(2**20)


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Mount a small file system in memory until the block ends."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "deltawire", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def step(model: Model, number: int) -> int:
    """Take a step, and return its version."""
    data = {name.removeprefix("data/"): array for name, array in batch(number).items()}
    return model.step(data).version


class Trial:
    """A model whose disk fails, and what was seen.

    Args:
        model: the model; its client never repeats a call.
    """

    def __init__(self, model: Model):
        self.codes = Counter[str]()
        self.wrong = list[str]()
        self._model, self._number = model, 0

    def fails(self, what: str, call: Callable[[], Any], *codes: str) -> None:
        """Note that a call fails with one of some codes, and changes nothing."""
        before = self._model.version
        try:
            call()
        except DeltawireError as error:
            code = getattr(error, "code", type(error).__name__)
            self.codes[f"{what}: {code}"] += 1
            if code not in codes:
                self.wrong.append(f"{what}: {code}: {error}")
        else:
            self.wrong.append(f"{what}: no error")
        if self._model.version != before:
            self.wrong.append(f"{what}: version {self._model.version} after {before}")

    def works(self, what: str) -> None:
        """Note that the next step works, by itself and as the next version."""
        before = self._model.version
        self._number += 1
        try:
            after = step(self._model, self._number)
        except DeltawireError as error:
            self.wrong.append(f"after {what}: {error}")
            return
        if after != before + 1:
            self.wrong.append(f"after {what}: version {after} follows {before}")


def large() -> Network:
    """A network whose parameters fill a good part of the disk."""
    net = Network()
    net.loss = net.layer("sum", net.layer("linear", net.input("x", shape=(1000,)), name="l", units=1000))
    return net


def fill(trial: Trial, client: Client, model: Model, disk: Path) -> None:
    """Fill the disk by models first, then by a file to the last block."""
    made = list[Model]()

    def make() -> None:
        for number in range(DISK_MIB):
            made.append(client.create_model(large(), name=f"large{number}", optimizer=ADAM, seed=number))

    trial.fails("create", make, "store_full")
    for each in made:
        each.delete()
    trial.works("models that filled the disk")
    rest = disk / "rest"
    with rest.open("wb") as file:
        try:
            while True:
                file.write(bytes(2**16))
                file.flush()
        except OSError:
            pass
    trial.fails("step", lambda: step(model, 0), "store_full")
    if not model.forward({"x": np.zeros((1, 4))}, values=["scores"]):
        trial.wrong.append("no reads on a full disk")
    rest.unlink()
    trial.works("a full disk")


def make_read_only(trial: Trial, model: Model, disk: Path) -> None:
    """Let the disk be read-only for a while, by a mount over it."""
    for options in (["--bind", str(disk), str(disk)], ["-o", "remount,bind,ro", str(disk)]):
        subprocess.run(["mount", *options], check=True)
    trial.fails("step, read-only", lambda: step(model, 0), "store_unavailable")
    subprocess.run(["umount", str(disk)], check=True)
    trial.works("a read-only disk")


def move_away(trial: Trial, model: Model, store: Path) -> None:
    """Move the folder of the models away and back."""
    away = store.with_name("away")
    store.rename(away)
    trial.fails("step, folder gone", lambda: step(model, 0), "store_unavailable", "outcome_unknown")
    away.rename(store)
    trial.works("a folder that was gone")


def export(trial: Trial, model: Model, store: Path, folder: Path, exports: int) -> None:
    """Export while steps go on; import elsewhere, and compare with the version that the copy has."""
    done = Event()

    def go_on() -> None:
        while not done.is_set():
            step(model, 1)

    stepping = Thread(target=go_on)
    stepping.start()
    try:
        for number in range(exports):
            exported, imported = str(folder / f"export{number}"), str(folder / f"import{number}")
            command("export", "--data-dir", str(store), exported)
            command("import", "--data-dir", imported, exported)
            command("check", "--data-dir", imported, "--replay")
            with Client(data_dir=imported) as client:
                copy = client.model(model.name).checkpoint()
            if copy.params_id != model.checkpoint(copy.version).params_id:
                trial.wrong.append(f"version {copy.version} of the import has other parameters")
    finally:
        done.set()
        stepping.join()


def command(*arguments: str) -> None:
    """Run `deltawire store` as an operator does."""
    ran = subprocess.run(
        [sys.executable, "-m", "deltawire", "store", *arguments],
        capture_output=True,
        text=True,
        env=environment(free_bytes=FREE_BYTES),
    )
    if ran.returncode:
        raise RuntimeError(f"deltawire store {arguments[0]}: {ran.returncode} {ran.stdout} {ran.stderr}")


def main() -> None:
    given = arguments("full_disks")
    exports = 2 if given.short else 20
    with tempfile.TemporaryDirectory() as temporary, small_disk(Path(temporary) / "disk") as disk:
        store = disk / "store"
        settings = {"data_dir": str(store), "free_bytes": FREE_BYTES, "deadline_seconds": "5"}
        with (
            running_service("-w", "2", log_level="error", **settings) as service,
            Client(service, retries=Retries(attempts=1)) as client,
        ):
            model = client.create_model(SPEC, name="model", optimizer=ADAM, seed=0)
            trial = Trial(model)
            trial.works("the start")
            fill(trial, client, model, disk)
            make_read_only(trial, model, disk)
            move_away(trial, model, store)
            try:
                export(trial, model, store, Path(temporary), exports)
            except RuntimeError as error:
                trial.wrong.append(str(error))
    report(
        {"seed": given.seed, "codes": dict(trial.codes), "exports": exports, "wrong": trial.wrong},
        {"said, whole, and over with its cause": not trial.wrong},
    )


if __name__ == "__main__":
    main()
