"""The network block, probed from inside: nothing beyond loopback is reached, neither by a process nor by a kernel."""

import json
import socket
import subprocess
import sys
import time

import pytest

from labutils import offline

PROBE = """
import json, socket, time

def fails(ask):
    start = time.monotonic()
    try:
        ask()
    except OSError as error:
        return [True, time.monotonic() - start]
    return [False, time.monotonic() - start]

def loopback():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=20).close()

print(json.dumps({
    "connect": fails(lambda: socket.create_connection(("192.0.2.1", 80), timeout=60)),
    "look-up": fails(lambda: socket.getaddrinfo("example.org", 80)),
    "loopback": fails(loopback),
}))
"""
KERNEL = f"""
import nbformat
from nbclient import NotebookClient
notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell({PROBE!r})])
print(NotebookClient(notebook, kernel_name="python3", coalesce_streams=True).execute().cells[0].outputs[0].text)
"""
WAYS = [
    pytest.param(offline.command, id="as the suite does"),
    pytest.param(offline.guarded, id="guard"),
    pytest.param(
        offline.namespaced,
        id="namespace",
        marks=pytest.mark.skipif(not offline.namespaces_work(), reason="this system gives no network namespaces"),
    ),
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("program", [pytest.param(PROBE, id="process"), pytest.param(KERNEL, id="kernel")])
def test_inside_the_block_only_loopback_is_reached_and_the_rest_fails_at_once(way, program):
    ran = subprocess.run(way([sys.executable, "-c", program + "exit(7)"]), capture_output=True, text=True, timeout=1200)
    assert ran.returncode == 7, ran.stderr
    found = json.loads(ran.stdout)
    assert found["connect"][0] and found["connect"][1] < 10
    assert found["look-up"][0] and found["look-up"][1] < 10
    assert found["loopback"][0] is False


def test_the_guard_loads_the_usual_sitecustomize_too(tmp_path, monkeypatch):
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.usual = True")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    program = "import socket, sys; print(sys.usual, hasattr(socket.getaddrinfo, '__wrapped__'))"
    ran = subprocess.run(offline.guarded([sys.executable, "-c", program]), capture_output=True, text=True)
    assert ran.stdout.split() == ["True", "True"], ran.stderr


def test_this_process_is_guarded_as_well():
    start = time.monotonic()
    with pytest.raises(socket.gaierror, match=r"blocked: no look-up of example\.org"):
        socket.getaddrinfo("example.org", 443)
    with socket.socket() as plain:
        with pytest.raises(ConnectionRefusedError, match=r"blocked: no connection to 192\.0\.2\.1"):
            plain.connect(("192.0.2.1", 80))
        assert plain.connect_ex(("192.0.2.1", 80)) != 0
    assert time.monotonic() - start < 10
    offline.free_sockets()
    assert not hasattr(socket.getaddrinfo, "__wrapped__")


def test_names_of_this_machine_and_of_others():
    assert all(map(offline.is_local, ["127.0.0.1", "127.8.8.8", "::1", "localhost", "", None, b"localhost", "0.0.0.0"]))
    others = ["192.0.2.1", "10.0.0.1", "2001:db8::1", "example.org", "localhost.example.org", b"a.org"]
    assert not any(map(offline.is_local, others))
