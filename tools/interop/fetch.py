"""Where Leshan comes from: Maven, into build/interop, once.

    distribution = fetch(log=print)         # Missing: Java or Maven is absent, and how to get them
    distribution.version                    # "2.0.0-M18", or "2.0.0-M4"
    distribution.server                     # command line up to the options

Wanted is the newest milestone's demo server and demo bootstrap server, each one jar. A repository that mirrors only a
part of Maven Central may lack them; then the demo server of 2.0.0-M4 serves, and its bootstrap server is a few lines
on Leshan's library (BootstrapServer.java). `make interop` says which it was.
"""

import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CACHE = ROOT / "build" / "interop"
WANTED = "2.0.0-M18"
FALLBACK = "2.0.0-M4"
JAVA = 17  # Leshan 2.0.0-M16 and later; a single source file runs from Java 11 on

_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>interop</groupId><artifactId>leshan</artifactId><version>1</version><dependencies><dependency>
<groupId>org.eclipse.leshan</groupId><artifactId>leshan-server-demo</artifactId><version>{version}</version>
</dependency></dependencies></project>
"""
# Its DEBUG default writes megabytes a minute.
_LOGBACK = """<configuration><appender name="out" class="ch.qos.logback.core.ConsoleAppender">
<encoder><pattern>%d{HH:mm:ss.SSS} %-5level %logger{0} %msg %ex{3}%n</pattern></encoder></appender>
<root level="WARN"><appender-ref ref="out"/></root></configuration>
"""


class Missing(Exception):
    """What is not there and how to get it, in sentences for a person."""


class Distribution:
    """Leshan on disk: `server` is a command line to which options are added; `bootstrap` likewise, or None."""

    def __init__(self, version, server, bootstrap, classpath=None):
        self.version = version
        self.server = server
        self.bootstrap = bootstrap
        self.classpath = classpath

    @property
    def modern(self):
        """True for the wanted milestone, False for the fallback: their REST interfaces differ."""
        return self.version == WANTED


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


def fetch(log=lambda sentence: None, cache=CACHE):
    """The distribution, fetched if it is not in the cache. Missing when it cannot be had."""
    check_tools()
    cache.mkdir(parents=True, exist_ok=True)
    (cache / "logback.xml").write_text(_LOGBACK)
    return _wanted(cache, log) or _fallback(cache, log)


def _java(cache):
    return ["java", "-Xmx256m", f"-Dlogback.configurationFile={cache / 'logback.xml'}"]


def _wanted(cache, log):
    jars = [cache / f"{name}-{WANTED}-jar-with-dependencies.jar" for name in ("leshan-demo-server", "leshan-demo-bsserver")]
    for jar in jars:
        if jar.exists():
            continue
        name = jar.name.split("-2.0.0")[0]
        log(f"fetching {name} {WANTED} with Maven")
        artifact = f"org.eclipse.leshan:{name}:{WANTED}:jar:jar-with-dependencies"
        done = _maven(["dependency:copy", f"-Dartifact={artifact}", f"-DoutputDirectory={cache}"], cache)
        if done.returncode:
            if any(words in done.stdout for words in ("Could not find artifact", "was not found in")):
                log(f"this Maven repository has no {name} {WANTED}: using the demo server of {FALLBACK}")
                return None
            raise Missing(f"Maven could not fetch {name} {WANTED}: {_last_error(done.stdout)}")
    return Distribution(WANTED, [*_java(cache), "-jar", str(jars[0])], [*_java(cache), "-jar", str(jars[1])])


def _fallback(cache, log):
    folder = cache / FALLBACK
    if not (folder / "complete").exists():
        log(f"fetching leshan-server-demo {FALLBACK} with Maven")
        folder.mkdir(exist_ok=True)
        (folder / "pom.xml").write_text(_POM.format(version=FALLBACK))
        done = _maven(["dependency:copy-dependencies", f"-DoutputDirectory={folder}"], folder)
        if done.returncode:
            raise Missing(f"Maven could not fetch leshan-server-demo {FALLBACK}: {_last_error(done.stdout)}")
        (folder / "complete").touch()
    classpath = str(folder / "*")
    # its JSON library looks into collections, which Java 17 closed
    opened = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in ("java.util", "java.lang", "java.net")]
    base = [*_java(cache), *opened, "-cp", classpath]
    source = str(Path(__file__).with_name("BootstrapServer.java"))
    server = [*base, "org.eclipse.leshan.server.demo.LeshanServerDemo"]
    return Distribution(FALLBACK, server, [*base, source], classpath)


def _maven(goals, folder):
    return subprocess.run(
        ["mvn", "-B", *goals], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=900, check=False
    )


def _last_error(output):
    errors = [line for line in output.splitlines() if line.startswith("[ERROR]") and len(line) > 20]
    return errors[0][8:300] if errors else "no error was named"
