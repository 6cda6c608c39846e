import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import asynccontextmanager
from pathlib import Path

import nbformat
import papermill
import pytest
from jupyter_client import AsyncKernelManager
from nbclient.exceptions import DeadKernelError
from nbformat.v4 import new_code_cell, new_notebook

from crmlab.study.kernels import KERNEL_ENVIRONMENT, KernelServer, KernelServerError, can_fork

pytestmark = [
    pytest.mark.xdist_group("kernels"),
    pytest.mark.skipif(not can_fork(), reason="warm kernels are not to be had on this system"),
]
# pytest keeps what a process writes to its streams; a kernel that sees pytest would let it.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTEST_CURRENT_TEST"}
ENVIRONMENT |= KERNEL_ENVIRONMENT
WITHOUT_HISTORY = ["--HistoryManager.hist_file=:memory:"]


# A server that imports nothing beforehand, for what does not depend on it.
BARE = """
from crmlab.study import kernel_server
kernel_server.list_modules = list
kernel_server._rehearse = print
{}
kernel_server.main()
"""


@pytest.fixture
def bare_program(monkeypatch):
    monkeypatch.setattr("crmlab.study.kernels.PROGRAM", ("-c", BARE.format("")))


@pytest.fixture(scope="module")
def server():
    with KernelServer() as server:
        yield server


@asynccontextmanager
async def start(manager_class, cwd=".", **variables):
    """A kernel that is ready, its manager and its client."""
    manager = manager_class(kernel_name="python3")
    await manager.start_kernel(
        env=ENVIRONMENT | variables, cwd=str(cwd), extra_arguments=WITHOUT_HISTORY
    )
    client = manager.client()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=120)
        yield manager, client
    finally:
        client.stop_channels()
        await manager.shutdown_kernel(now=True)


async def tell(client, source):
    """Run a cell, and return what it printed or the error it ended with."""
    said = []

    def listen(message):
        said.append(message["content"].get("text", ""))

    reply = await client.execute_interactive(
        source, allow_stdin=False, output_hook=listen, timeout=120
    )
    return reply["content"].get("ename") or "".join(said).strip()


async def ask(manager_class, source, **options):
    async with start(manager_class, **options) as (_, client):
        return await tell(client, source)


async def wait_for_end(manager, seconds):
    """Return a kernel's exit code, given that it ends in so many seconds."""
    async with asyncio.timeout(seconds):
        while await manager.is_alive():
            await asyncio.sleep(0.01)
    return await manager.provisioner.poll()


def is_running(pid):
    """Return whether a process is there and more than an exit code."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def fork(server):
    """Return a kernel that nobody will talk to."""
    file = Path(server.ready.result(), "kernel.json")
    return server.fork_kernel(["kernel", "-f", str(file)], env=ENVIRONMENT, cwd="/").result()


def find_parent(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def wait_until_gone(pids, seconds):
    limit = time.monotonic() + seconds
    while left := [pid for pid in pids if is_running(pid)]:
        assert time.monotonic() < limit, f"still running: {left}"
        time.sleep(0.01)


def list_descriptors(pid):
    """Return what a process has open."""
    folder = Path(f"/proc/{pid}/fd")
    return {os.readlink(path) for path in folder.iterdir() if path.is_symlink()}


FACTS = """
import json, os, signal, sys, warnings
import matplotlib
import pandas as pd
given = {"JPY_PARENT_PID", "PWD"}
print(json.dumps({
    "argv": [sys.argv[0], sys.argv[1]],
    "path": sys.path,
    "folder": os.getcwd(),
    "main": str(sys.modules["__main__"]),
    "names": sorted(name for name in globals() if not name.startswith("_i")),
    "variables": {k: v for k, v in os.environ.items() if k not in given},
    "signals": [str(signal.getsignal(s)) for s in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)],
    "leads": os.getsid(0) == os.getpid(),
    "warnings": sorted(map(str, warnings.filters)),
    "backend": matplotlib.get_backend(),
    "columns": pd.get_option("display.max_columns"),
    "hash": hash("crmlab"),
    "flags": str(sys.flags),
}))
"""
IMPORTS = "import seaborn, scipy.stats, sklearn.cluster, crmlab.data.tables, crmlab.plots.style"


def test_warm_kernel_finds_what_an_ordinary_one_finds(server, tmp_path):
    async def gather(manager_class):
        async with start(manager_class, cwd=tmp_path, CRMLAB_RUN="here") as (_, client):
            assert await tell(client, IMPORTS) == ""
            return json.loads(await tell(client, FACTS))

    warm = asyncio.run(gather(server.manager_class))
    assert warm == asyncio.run(gather(AsyncKernelManager))
    assert warm["variables"]["CRMLAB_RUN"] == "here"
    assert warm["folder"] == str(tmp_path)


def test_kernels_of_two_threads_have_their_own_environment_and_numbers(server):
    source = """
import os, random
import numpy as np
print(os.environ["WHO"], random.random(), np.random.random())
"""
    found = {}

    def work(who):
        found[who] = asyncio.run(ask(server.manager_class, source, WHO=who)).split()

    threads = [threading.Thread(target=work, args=(who,)) for who in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert {who: said[0] for who, said in found.items()} == {"a": "a", "b": "b"}
    assert not set(found["a"]) & set(found["b"])


def test_kernel_shows_what_is_written_beneath_python(server):
    source = "import os, time; os.write(1, b'from beneath'); time.sleep(0.3)"
    assert asyncio.run(ask(server.manager_class, source)) == "from beneath"


@pytest.mark.parametrize("source", ["import time; time.sleep(60)", "while True: pass"])
def test_interrupt_ends_the_cell_and_not_the_kernel(server, source):
    async def interrupt():
        async with start(server.manager_class) as (manager, client):
            cell = asyncio.create_task(tell(client, source))
            await asyncio.sleep(0.3)
            await manager.interrupt_kernel()
            assert await asyncio.wait_for(cell, 5) == "KeyboardInterrupt"
            assert await tell(client, "print(1)") == "1"

    asyncio.run(interrupt())


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("import os; os.kill(os.getpid(), 9)", -signal.SIGKILL),
        ("import ctypes; ctypes.string_at(0)", -signal.SIGSEGV),
        ("import os; os._exit(3)", 3),
    ],
)
def test_end_of_a_kernel_is_seen_at_once_with_its_exit_code(server, source, code):
    async def end():
        async with start(server.manager_class) as (manager, client):
            client.execute(source)
            assert await wait_for_end(manager, 1) == code

    asyncio.run(end())


def test_kernel_asked_to_end_does_so_and_leaves_no_file(server):
    async def end():
        # A kernel that is not ready yet may miss the request, as an ordinary one may.
        async with start(server.manager_class) as (manager, _):
            manager.shutdown_wait_time = 60
            kernel = manager.provisioner.kernel
            before = set(Path(server.ready.result()).iterdir())
            await manager.shutdown_kernel()
            assert kernel.ended.result(timeout=0) == 0
            return before

    assert asyncio.run(end())
    assert list(Path(server.ready.result()).iterdir()) == []


def test_kernel_takes_with_it_what_it_started(server):
    async def end():
        source = "import subprocess; print(subprocess.Popen(['sleep', '60']).pid)"
        return int(await ask(server.manager_class, source))

    wait_until_gone([asyncio.run(end())], 1)


def test_server_forks_with_one_thread_and_hands_on_its_streams_only(server):
    async def look():
        kernels = [start(server.manager_class), start(server.manager_class)]
        async with kernels[0] as (first, _), kernels[1] as (second, _):
            pids = [manager.provisioner.kernel.pid for manager in (first, second)]
            parent = find_parent(pids[0])
            assert len(os.listdir(f"/proc/{parent}/task")) == 1
            streams = {os.readlink(f"/proc/{parent}/fd/{n}") for n in range(3)}
            return streams, [list_descriptors(pid) for pid in (parent, *pids)]

    streams, (servers, first, second) = asyncio.run(look())
    assert servers > streams
    assert servers & first == servers & second == streams
    # Polls of the kernels' own bear one name, whoever made them.
    assert {link for link in first & second if not link.startswith("anon_inode:")} == streams


def test_runner_keeps_nothing_open_for_kernels_that_have_ended(server):
    asyncio.run(ask(server.manager_class, "1"))
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        asyncio.run(ask(server.manager_class, "1"))
    assert len(os.listdir("/proc/self/fd")) == before


def execute(cells, folder, server):
    """Run cells through papermill and return the executed notebook."""
    metadata = {"language_info": {"name": "python"}}
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells], metadata=metadata)
    notebook.cells[0].metadata.tags = ["parameters"]
    nbformat.write(notebook, folder / "cells.ipynb")
    papermill.execute_notebook(
        str(folder / "cells.ipynb"),
        str(folder / "executed.ipynb"),
        parameters={"n": 2},
        kernel_name="python3",
        progress_bar=False,
        kernel_manager_class=server.manager_class,
    )
    return nbformat.read(folder / "executed.ipynb", as_version=4)


def test_papermill_runs_a_notebook_in_a_warm_kernel(server, tmp_path):
    cells = [
        "n = 1",
        "import matplotlib.pyplot as plt\nfrom crmlab.plots import set_style\nset_style('zh')",
        "plt.plot(range(n))\nplt.title('价值');",
        "n",
    ]
    document = execute(cells, tmp_path, server)
    *_, figure, number = [cell.outputs for cell in document.cells]
    assert "image/svg+xml" in figure[0].data
    assert number[0].data["text/plain"] == "2"


@pytest.mark.filterwarnings("ignore:.*:ResourceWarning")
def test_papermill_hears_of_a_kernel_that_was_killed(server, tmp_path):
    began = time.monotonic()
    with pytest.raises(DeadKernelError):
        execute(["n = 1", "import os; os.kill(os.getpid(), 9)"], tmp_path, server)
    assert time.monotonic() - began < 5


def test_provisioner_without_a_server_says_what_it_needs(server):
    manager = type("Lost", (server.manager_class,), {"server": None})(kernel_name="python3")
    with pytest.raises(KernelServerError, match="manager_class of a"):
        asyncio.run(manager.start_kernel(env=ENVIRONMENT))


@pytest.mark.usefixtures("bare_program")
def test_server_that_is_closed_ends_its_kernels_and_starts_no_more():
    server = KernelServer()
    server.start()
    folder = Path(server.ready.result())
    kernel = fork(server)
    server.close()
    server.close()
    assert kernel.ended.result(timeout=0) == -signal.SIGKILL
    assert not is_running(kernel.pid)
    assert not folder.exists()
    with pytest.raises(KernelServerError, match="no more warm kernels"):
        asyncio.run(ask(server.manager_class, "1"))
    with pytest.raises(KernelServerError, match="was closed"):
        fork(server)


def test_server_closed_while_it_imports_ends_at_once():
    server = KernelServer()
    server.start()
    process = server._process
    time.sleep(0.3)
    began = time.monotonic()
    server.close()
    assert process.returncode == -signal.SIGTERM
    assert time.monotonic() - began < 1
    with pytest.raises(KernelServerError, match="was closed"):
        server.ready.result()


@pytest.mark.usefixtures("bare_program")
def test_server_that_is_killed_takes_its_kernels_with_it_and_is_told_of():
    with KernelServer() as server:
        folder = Path(server.ready.result())
        kernel = fork(server)
        time.sleep(0.2)  # on its own feet, and without a thread of ipykernel's yet
        os.kill(find_parent(kernel.pid), signal.SIGKILL)
        assert kernel.ended.result(timeout=2) == -signal.SIGKILL
        wait_until_gone([kernel.pid], 2)
        with pytest.raises(KernelServerError, match="has died"):
            fork(server)
    assert not folder.exists()


def test_server_refuses_to_fork_while_a_library_runs_threads(monkeypatch):
    library = "import threading\nthreading.Timer(60, print).start()"
    monkeypatch.setattr("crmlab.study.kernels.PROGRAM", ("-c", BARE.format(library)))
    with KernelServer() as server, pytest.raises(KernelServerError, match="runs threads: python"):
        server.ready.result()


def test_server_that_does_not_start_says_why(monkeypatch):
    monkeypatch.setattr("crmlab.study.kernels.PROGRAM", ("-c", "import no_such_library"))
    with KernelServer() as server, pytest.raises(KernelServerError, match="'no_such_library'"):
        asyncio.run(ask(server.manager_class, "1"))


def test_system_that_starts_no_server_is_told_of_to_who_asks_for_a_kernel(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with KernelServer() as server, pytest.raises(KernelServerError, match="/no/such/python"):
        asyncio.run(ask(server.manager_class, "1"))


REFUSAL = """
import os
def refuse():
    raise BlockingIOError(11, "too many processes")
os.fork = refuse
"""


def test_server_that_may_not_fork_says_so_and_goes_on(monkeypatch):
    monkeypatch.setattr("crmlab.study.kernels.PROGRAM", ("-c", BARE.format(REFUSAL)))
    with KernelServer() as server:
        for _ in range(2):
            with pytest.raises(KernelServerError, match=r"no more kernels.*too many processes"):
                fork(server)


RUNNER = """
import sys, time
from crmlab.study import kernels
kernels.PROGRAM = ("-c", sys.argv[1])
server = kernels.KernelServer()
server.start()
folder = server.ready.result()
argv = ["kernel", "-f", folder + "/kernel.json"]
kernel = server.fork_kernel(argv, env={}, cwd="/").result()
print(server._process.pid, kernel.pid, folder, flush=True)
time.sleep(60)
"""


def test_server_and_kernels_end_when_the_runner_is_killed():
    command = [sys.executable, "-c", RUNNER, BARE.format("")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as runner:
        server, kernel, folder = runner.stdout.readline().split()
        assert os.getpgid(int(server)) != os.getpgid(runner.pid)
        runner.kill()
    wait_until_gone([server, kernel], 2)
    assert not Path(folder).exists()


@pytest.mark.parametrize(
    ("system", "expected"), [("linux", True), ("darwin", False), ("win32", False)]
)
def test_kernels_are_forked_on_linux_only(system, expected, monkeypatch):
    monkeypatch.setattr(sys, "platform", system)
    assert can_fork() is expected
