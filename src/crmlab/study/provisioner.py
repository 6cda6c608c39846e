"""What jupyter_client needs to start, reach and end a warm kernel.

Who asks: papermill and nbclient, through the manager class of a
`crmlab.study.kernels.KernelServer`. No kernelspec need be installed for it.
"""

import asyncio
import signal
import sys
from importlib.util import find_spec
from pathlib import Path
from queue import Empty

from jupyter_client import AsyncKernelManager
from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.provisioning import KernelProvisionerBase
from traitlets import Type, default

from crmlab.study.kernels import KernelServerError

__all__ = ["WarmKernelClient", "WarmKernelManager", "WarmProvisioner"]

# A path in the file system longer than about 100 characters names no socket.
LONGEST_FOLDER = 50


class WarmProvisioner(KernelProvisionerBase):
    """Starts, watches, signals and ends a kernel of a `KernelServer`."""

    kernel = None

    @property
    def has_process(self):
        """Whether there is a kernel that has not been waited for."""
        return self.kernel is not None

    async def pre_launch(self, **kwargs):
        """Choose where the kernel is reached, in the server's own folder, and complete its command.

        The server removes that folder when it ends, also after a runner that was killed.
        """
        manager = self.parent
        if getattr(manager, "server", None) is None:
            raise KernelServerError(
                "a warm kernel needs the server it is forked from: run the notebook with the "
                "manager_class of a crmlab.study.kernels.KernelServer"
            )
        folder = await asyncio.wrap_future(manager.server.ready)
        if not manager.connection_file:
            manager.connection_file = str(Path(folder, f"{self.kernel_id}.json"))
        if len(folder) > LONGEST_FOLDER:
            manager.transport = "tcp"
        try:
            manager.write_connection_file()
        except OSError as error:  # a server that has ended takes its folder with it
            raise KernelServerError(f"no more warm kernels: {error}") from error
        self.connection_info = manager.get_connection_info()
        command = manager.format_kernel_cmd(extra_arguments=kwargs.pop("extra_arguments", []))
        return await super().pre_launch(cmd=command, **kwargs)

    async def launch_kernel(self, cmd, *, env, cwd=None, **_):
        """Fork a kernel, wait until it can be reached, and say how.

        A client that tried too early would try again a tenth of a second later.
        """
        launcher = find_spec("ipykernel_launcher").origin
        argv = [launcher, *cmd[cmd.index("ipykernel_launcher") + 1 :]]
        folder = str(Path(cwd or "").absolute())
        asked = self.parent.server.fork_kernel(argv, env=env, cwd=folder)
        self.kernel = await asyncio.wrap_future(asked)
        if self.parent.transport == "ipc":
            sockets = [Path(f"{self.parent.ip}-{port}") for port in self.parent.ports]
            while not (self.kernel.ended.done() or all(path.exists() for path in sockets)):
                await asyncio.sleep(0.005)
        return self.connection_info

    async def poll(self):
        """Return None while the kernel runs, its exit code when it has ended."""
        if self.kernel is None:
            return 0
        return self.kernel.ended.result() if self.kernel.ended.done() else None

    async def wait(self):
        """Wait for the kernel's end and return its exit code."""
        if self.kernel is None:
            return 0
        code = await asyncio.wrap_future(self.kernel.ended)
        self.kernel = None
        return code

    async def send_signal(self, signum):
        """Send a signal to the kernel and to what it started."""
        if self.kernel is not None:
            self.parent.server.signal_kernel(self.kernel, signum)

    async def kill(self, restart=False):  # noqa: ARG002 - the base class's
        """Kill the kernel, and give it the moment it takes to end: nobody need ask again."""
        await self.send_signal(signal.SIGKILL)
        if self.kernel is not None:
            await asyncio.wait([asyncio.wrap_future(self.kernel.ended)], timeout=1)

    async def terminate(self, restart=False):  # noqa: ARG002 - the base class's
        """Ask the kernel to end."""
        await self.send_signal(signal.SIGTERM)

    async def cleanup(self, restart=False):
        """Do nothing: the manager removes the kernel's sockets and connection file."""


class WarmKernelClient(AsyncKernelClient):
    """jupyter_client's client, but content with a kernel that answers.

    Its own goes on to wait 0.2 s for messages that belong to nobody; nbclient knows its messages
    by what they answer.
    """

    async def wait_for_ready(self, timeout=None):
        """Wait until the kernel answers.

        Raises
        ------
        RuntimeError
            If it dies, or does not answer in so many seconds.
        """
        try:
            async with asyncio.timeout(timeout):
                while not await self._is_heard():
                    if not await self.is_alive():
                        raise RuntimeError("the kernel died before it was ready")
        except TimeoutError:
            raise RuntimeError(f"the kernel did not answer in {timeout} s") from None

    async def _is_heard(self):
        self.kernel_info()
        try:
            await self.get_shell_msg(timeout=1)
            await self.get_iopub_msg(timeout=0.2)  # the outputs of cells come by this way
        except Empty:
            return False
        return True


class WarmKernelManager(AsyncKernelManager):
    """jupyter_client's manager, for kernels of the server that a subclass names."""

    server = None
    client_factory = Type(WarmKernelClient, klass=AsyncKernelClient)

    @default("transport")
    def _transport(self):
        return "ipc"

    @property
    def kernel_spec(self):
        """An IPython kernel, started by the warm provisioner."""
        return KernelSpec(
            argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            display_name="Python 3 (crmlab, warm)",
            language="python",
            metadata={"kernel_provisioner": {"provisioner_name": "crmlab-warm"}},
        )
