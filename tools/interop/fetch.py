"""Where Leshan comes from: Maven, into build/interop, once.

    distribution = fetch(log=print)         # Missing: Java or Maven is absent, and how to get them
    distribution.version                    # "2.0.0-M18"
    distribution.server                     # command line up to the options

Three kinds, in this order, for a repository that mirrors only a part of Maven Central may lack the first or the second:

    demo      the newest milestone's demo server and demo bootstrap server, each one jar
    library   the newest milestone's server library under DemoServer.java, which has as much of the demo server's REST
              interface as is asked here; object definitions and bootstrap server of the oldest kind
    old       the demo server of 2.0.0-M4, and its library under BootstrapServer.java
"""

import re
import shutil
import subprocess
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CACHE = ROOT / "build" / "interop"
WANTED = "2.0.0-M18"
FALLBACK = "2.0.0-M4"
PATIENCE_S = 300  # for one download
JAVA = 17  # Leshan 2.0.0-M16 and later; a single source file runs from Java 11 on

KINDS = ("demo", "library", "old")

_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>interop</groupId><artifactId>leshan</artifactId><version>1</version><dependencies>{dependencies}</dependencies></project>
"""
_DEPENDENCY = """
<dependency><groupId>org.eclipse.leshan</groupId><artifactId>{name}</artifactId><version>{version}</version></dependency>
"""
_LIBRARY = ("leshan-lwm2m-server", "leshan-tl-cf-server-coap")
# Its DEBUG default writes megabytes a minute.
_LOGBACK = """<configuration><appender name="out" class="ch.qos.logback.core.ConsoleAppender">
<encoder><pattern>%d{HH:mm:ss.SSS} %-5level %logger{0} %msg %ex{3}%n</pattern></encoder></appender>
<root level="WARN"><appender-ref ref="out"/></root></configuration>
"""


class Missing(Exception):
    """What is not there and how to get it, in sentences for a person."""


class Distribution:
    """Leshan on disk: `server` and `bootstrap` are command lines to which options are added; `kind` is one of KINDS."""

    def __init__(self, version, server, bootstrap, kind="demo", models=None):
        self.version = version
        self.server = server
        self.bootstrap = bootstrap
        self.kind = kind
        self.models = models

    @property
    def modern(self):
        """True where the REST interface is the newest milestone's."""
        return self.kind != "old"

    @property
    def name(self):
        """What the table says."""
        if self.kind == "library":
            return f"Leshan {self.version} (server library; bootstrap server {FALLBACK})"
        return f"Leshan {self.version}"


def check_tools(which=shutil.which, run=subprocess.run):
    """Raise Missing unless Java and Maven are there and Java is new enough."""
    absent = [name for name in ("java", "mvn") if which(name) is None]
    if absent:
        raise Missing(
            f"{' and '.join(absent)} not found: `make interop` needs a Java {JAVA} development kit and Maven. "
            "Debian and Ubuntu: apt install openjdk-17-jdk-headless maven. macOS: brew install openjdk@17 maven."
        )
    told = run(["java", "-version"], capture_output=True, text=True, check=False)
    found = re.search(r'version "(\d+)', told.stderr + told.stdout)
    if found is None or int(found.group(1)) < JAVA:
        raise Missing(
            f"java is {'older than' if found else 'no'} {JAVA}{': ' + found.group(0) if found else ''}. "
            "Debian and Ubuntu: apt install openjdk-17-jdk-headless. macOS: brew install openjdk@17."
        )


def fetch(log=lambda sentence: None, cache=CACHE, kinds=KINDS):
    """The first of these kinds that can be had, fetched if it is not in the cache. Missing when none can."""
    check_tools()
    cache.mkdir(parents=True, exist_ok=True)
    (cache / "logback.xml").write_text(_LOGBACK)
    makers = {"demo": _demo, "library": _library, "old": _old}
    for kind in kinds:
        found = makers[kind](cache, log)
        if found is not None:
            return found
    raise Missing(f"this Maven repository has no Leshan of kind {' or '.join(kinds)}")


def _java(cache):
    return ["java", "-Xmx256m", f"-Dlogback.configurationFile={cache / 'logback.xml'}"]


def _demo(cache, log):
    jars = [cache / f"{name}-{WANTED}-jar-with-dependencies.jar" for name in ("leshan-demo-server", "leshan-demo-bsserver")]
    for jar in jars:
        if jar.exists():
            continue
        name = jar.name.split("-2.0.0")[0]
        log(f"fetching {name} {WANTED} with Maven")
        artifact = f"org.eclipse.leshan:{name}:{WANTED}:jar:jar-with-dependencies"
        done = _maven(["dependency:copy", f"-Dartifact={artifact}", f"-DoutputDirectory={cache}"], cache)
        if done.returncode:
            if _not_there(done):
                log(f"this Maven repository has no {name} {WANTED}")
                return None
            raise Missing(f"Maven could not fetch {name} {WANTED}: {_last_error(done.stdout)}")
    return Distribution(WANTED, [*_java(cache), "-jar", str(jars[0])], [*_java(cache), "-jar", str(jars[1])])


def _library(cache, log):
    folder = cache / f"library-{WANTED}"
    if not _jars(folder, _LIBRARY, WANTED, log):
        return None
    old = _old(cache, log)
    if old is None:
        return None
    models = cache / "models"
    if not models.exists():
        with zipfile.ZipFile(cache / FALLBACK / f"leshan-server-demo-{FALLBACK}.jar") as jar:
            jar.extractall(cache, [name for name in jar.namelist() if name.startswith("models/")])
    for own in (ROOT / "docs" / "objects").glob("*.xml"):
        shutil.copy(own, models)
    server = [*_java(cache), "-cp", str(folder / "*"), str(Path(__file__).with_name("DemoServer.java"))]
    return Distribution(WANTED, server, old.bootstrap, "library", models)


def _old(cache, log):
    if shutil.which("javac") is None:
        raise Missing(
            "javac not found, which runs the part of Leshan that this Maven repository lacks: a Java "
            f"{JAVA} development kit, not only its runtime. Debian and Ubuntu: apt install openjdk-17-jdk-headless."
        )
    folder = cache / FALLBACK
    if not _jars(folder, ("leshan-server-demo",), FALLBACK, log):
        return None
    # its JSON library looks into collections, which Java 17 closed
    opened = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in ("java.util", "java.lang", "java.net")]
    base = [*_java(cache), *opened, "-cp", str(folder / "*")]
    source = str(Path(__file__).with_name("BootstrapServer.java"))
    server = [*base, "org.eclipse.leshan.server.demo.LeshanServerDemo"]
    return Distribution(FALLBACK, server, [*base, source], "old")


def _jars(folder, names, version, log):
    """Fetch these artifacts and what they need, once; False where the repository lacks one."""
    if (folder / "complete").exists():
        return True
    log(f"fetching {' and '.join(names)} {version} with Maven")
    folder.mkdir(exist_ok=True)
    dependencies = "".join(_DEPENDENCY.format(name=name, version=version) for name in names)
    (folder / "pom.xml").write_text(_POM.format(dependencies=dependencies))
    done = _maven(["dependency:copy-dependencies", f"-DoutputDirectory={folder}"], folder)
    if done.returncode and _not_there(done):
        log(f"this Maven repository has not all of {' and '.join(names)} {version}")
        return False
    if done.returncode:
        raise Missing(f"Maven could not fetch {names[0]} {version}: {_last_error(done.stdout)}")
    (folder / "complete").touch()
    return True


def _not_there(done):
    return any(words in done.stdout for words in ("Could not find artifact", "was not found in"))


def _maven(goals, folder):
    command = ["mvn", "-B", *goals]
    try:
        return subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=PATIENCE_S, check=False)
    except subprocess.TimeoutExpired:
        raise Missing(f"Maven was not done within {PATIENCE_S} s: is its repository reached?") from None


def _last_error(output):
    errors = [line for line in output.splitlines() if line.startswith("[ERROR]") and len(line) > 20]
    return errors[0][8:300] if errors else "no error was named"
