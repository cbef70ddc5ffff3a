"""Files for workers: what they hold, who removes them, and that nothing outside is opened."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from time import monotonic

import numpy as np
import pytest

from deltawire_service.cluster.array_sources import views
from deltawire_service.cluster.dispatching.blobs import LOCK, Blobs
from deltawire_service.engine import DeadlineExceeded, call_until
from deltawire_service.store.errors import FileMissing, StoreFull
from deltawire_service.store.limits import StoreLimits

LIMITS = StoreLimits(free_bytes=0)


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    made = Blobs(tmp_path, LIMITS)
    made.prepare()
    return made


def test_arrays_come_back_as_they_were(blobs: Blobs) -> None:
    numbers = np.random.default_rng(0)
    arrays = {
        "params/w": numbers.standard_normal((3, 5)).T,
        "params/b": numbers.standard_normal(7).astype(np.float32),
        "data/y": np.array(3),
        "data/none": np.empty((0, 4)),
    }
    blob = blobs.write(arrays)
    written = np.frombuffer(blob.path.read_bytes(), np.uint8)
    assert len(written) == blob.size and sha256(written.data).hexdigest() == blob.digest
    found = views(written, blob.places)
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype and found[name].shape == array.shape
        assert (found[name] == array).all() and not found[name].flags.writeable
    assert blob.path.stat().st_mode & 0o077 == 0


def test_nothing_outside_the_folder_is_opened(blobs: Blobs, tmp_path: Path) -> None:
    inside = blobs.write({"x": np.arange(10.0)})
    path = inside.path.relative_to(tmp_path).as_posix()
    assert bytes(blobs.open(path, 8, 16)) == np.array([1.0, 2.0]).tobytes()
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / "blobs" / "secret").write_bytes(bytes(32))
    (tmp_path / "models" / "0").mkdir(parents=True)
    for name in ("models/0/file", "database.sqlite3"):
        (tmp_path / name).write_bytes(b"private")
    for wrong in (
        "../secret",
        "/etc/passwd",
        "link",
        "blobs/none",
        "blobs/secret",
        "models/0/file",
        "database.sqlite3",
        "blobs/../models/0/file",
    ):
        with pytest.raises(FileMissing):
            blobs.open(wrong, 0, 1)
    with pytest.raises(FileMissing):
        blobs.open(path, inside.size, 1)
    (tmp_path / "datasets" / "0").mkdir(parents=True)
    (tmp_path / "datasets" / "0" / "columns.safetensors").write_bytes(b"rows")
    assert bytes(blobs.open("datasets/0/columns.safetensors", 1, 2)) == b"ow"


def test_a_disk_without_room_is_told(tmp_path: Path) -> None:
    full = Blobs(tmp_path, StoreLimits(free_bytes=2**62))
    full.prepare()
    with pytest.raises(StoreFull):
        full.write({"x": np.ones(3)})


def test_a_write_that_fails_leaves_no_file(blobs: Blobs) -> None:
    with pytest.raises(DeadlineExceeded):
        call_until(monotonic() - 1, lambda: blobs.write({"x": np.ones(10**6)}))
    assert [path.name for path in blobs.folder.rglob("*") if path.is_file()] == [LOCK]


def test_threads_that_are_first_together_share_a_folder(tmp_path: Path) -> None:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for number in range(20):
            blobs = Blobs(tmp_path / str(number), LIMITS)
            blobs.prepare()
            with ThreadPoolExecutor(6) as pool:
                made = [blob.path for blob in pool.map(blobs.write, [{"x": np.ones(3)}] * 6)]
            assert len(set(made)) == 6
            assert [path.name for path in blobs.folder.iterdir()] == [made[0].parent.name]
    finally:
        sys.setswitchinterval(interval)


def test_what_ended_processes_left_is_removed(blobs: Blobs, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; import numpy as np\n"
        "from deltawire_service.cluster.dispatching.blobs import Blobs\n"
        "from deltawire_service.store.limits import StoreLimits\n"
        "made = Blobs(Path(sys.argv[1]), StoreLimits(free_bytes=0))\n"
        "print(made.write({'x': np.ones(3)}).path, flush=True)\n"
        "sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdin and other.stdout
        left = Path(other.stdout.readline().decode().strip())
        Blobs(tmp_path, LIMITS).prepare()
        assert left.exists()
        other.kill()
        other.wait()
    own = blobs.write({"x": np.ones(3)}).path  # as a process does that takes the place of another
    assert not left.parent.exists() and own.exists()
    Blobs(tmp_path, LIMITS).prepare()
    assert own.exists()


def test_a_forked_process_writes_into_a_folder_of_its_own(blobs: Blobs) -> None:
    own = blobs.write({"x": np.ones(3)}).path
    pid = os.fork()
    if pid == 0:
        os._exit(0 if blobs.write({"x": np.ones(3)}).path.parent != own.parent else 1)
    assert os.waitpid(pid, 0)[1] == 0 and own.exists()
