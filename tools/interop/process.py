"""Java programs of the bench: ports, fresh folders, start, end."""

import asyncio
import os
import random
import shutil
import socket

from tools.boards.remedy import Remedy

START_S = 120
PORTS = (20000, 32000)  # below the range from which systems give sockets theirs: a restart finds its ports free


class LeshanError(RuntimeError):
    """Leshan did not start or did not do what it was asked; the message has its words."""


def free_ports(count, kind=socket.SOCK_DGRAM):
    """Ports of 127.0.0.1 that are free now."""
    ports = []
    while len(ports) < count:
        port = random.randrange(*PORTS)
        with socket.socket(socket.AF_INET, kind) as tried:
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in ports:
            ports.append(port)
    return ports


def own(folder):
    """An empty folder of this process's own beside `folder`; those of processes that are gone are removed."""
    for other in folder.parent.glob(f"{folder.name}-*"):
        number = other.name.rpartition("-")[2]
        if number.isdigit() and not _lives(int(number)):
            shutil.rmtree(other, ignore_errors=True)
    return fresh(folder.with_name(f"{folder.name}-{os.getpid()}"))


def _lives(number):
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # somebody else's
    return True


def fresh(folder):
    """An empty folder at this path."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


class Program:
    """A Java program of ours: started in a folder, its output in a file, stopped by its own id."""

    def __init__(self, folder, name):
        self.folder = folder
        self.name = name
        self.process = None
        self.log = folder / f"{name}.log"

    async def launch(self, command):
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.log, "ab") as output:
            self.process = await asyncio.create_subprocess_exec(*command, cwd=self.folder, stdin=asyncio.subprocess.DEVNULL,
                                                                stdout=output, stderr=output)

    async def halt(self):
        if self.process is None or self.process.returncode is not None:
            return
        self.process.terminate()
        try:
            await asyncio.wait_for(self.process.wait(), 10)
        except asyncio.TimeoutError:
            self.process.kill()
            await self.process.wait()

    def died(self):
        if self.process.returncode is not None:
            tail = self.log.read_text(errors="replace")[-600:]
            raise LeshanError(f"{self.name} ended with status {self.process.returncode}: {tail}")

    async def answers(self, rest, *request):
        """Put a request until its REST interface takes it: the Answer. LeshanError when it ends or takes too long to start."""
        deadline = asyncio.get_running_loop().time() + START_S
        while True:
            self.died()
            try:
                return await asyncio.to_thread(rest.call, *request)
            except Remedy as error:
                if asyncio.get_running_loop().time() > deadline:
                    raise LeshanError(f"{self.name} did not take {request[1]} within {START_S} s: {error}") from None
                await asyncio.sleep(0.2)
