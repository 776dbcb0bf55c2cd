"""No network: nothing in the program asks for one, and the main job is the same where there is none.

All tests run under the guard in ``conftest.py``. ``pytest --no-interfaces`` runs the whole suite where no interface is up.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys

import pytest

from pipeline.workspace import SHIPPED
from tests import conftest

ALONE = ("unshare", "--net", "--map-root-user")
INTERFACES = "import socket; print([name for _, name in socket.if_nameindex()])"


def permitted():
    return (
        bool(shutil.which("unshare"))
        and not subprocess.run([*ALONE, "true"], capture_output=True, check=False).returncode
    )


def alone(*words, **options):
    """A command where no interface is up; what it printed."""
    done = subprocess.run(
        [*ALONE, sys.executable, *words], capture_output=True, text=True, check=False, **options
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(not permitted(), reason="this machine lets nobody make a network namespace")
def test_the_main_job_needs_no_network(tmp_path, round1):
    """Where not even the machine's own interface is up, all files are those of a run elsewhere."""
    refused = (
        "import socket\n"
        "try:\n    socket.create_connection(('127.0.0.1', 9), 1)\n"
        "except OSError as error:\n    print(error.errno)"
    )
    assert int(alone("-c", refused)) in {101, 99}, "the network is not even reachable"
    source = SHIPPED / "data/samples/round1"
    env = {**os.environ, "PYTHONPATH": str(SHIPPED), "HOME": str(tmp_path)}
    out = alone("-m", "pipeline", "report", str(source), "-o", "out", "--jobs", "2", cwd=tmp_path, env=env)
    assert out.startswith("读入 ")
    names = sorted(path.relative_to(round1.folder) for path in round1.folder.rglob("*") if path.is_file())
    assert len(names) > 12
    for name in names:
        if name.name != "run.json":
            assert (tmp_path / "out" / name).read_bytes() == (round1.folder / name).read_bytes(), name


@pytest.mark.parametrize(
    "ask",
    [
        lambda: socket.socket(socket.AF_INET),
        lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM),
        lambda: socket.create_connection(("127.0.0.1", 9)),
        lambda: socket.getaddrinfo("localhost", 80),
        lambda: socket.gethostbyname("localhost"),
    ],
    ids=["ipv4", "ipv6", "connection", "address", "name"],
)
def test_the_guard_sees_whoever_asks(ask):
    with pytest.raises(PermissionError):
        ask()
    assert conftest._asked
    conftest._asked.clear()


def test_the_guard_lets_pipes_between_processes_be():
    left, right = socket.socketpair()
    left.send(b"x")
    assert right.recv(1) == b"x"
    left.close()
    right.close()
