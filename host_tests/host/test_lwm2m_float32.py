"""The mapper's tests once more with 32-bit floats, as boards have them."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHIM = ROOT / "host_tests/cpython/float32.py"
FILES = sorted((ROOT / "host_tests").glob("test_lwm2m_*.py"))


def run(*paths):
    done = subprocess.run([sys.executable, str(SHIM), *map(str, paths)], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_mapper_with_32_bit_floats(path):
    code, output = run(path)
    assert code == 0, output


def test_the_shim_does_round(tmp_path):
    probe = tmp_path / "test_probe.py"
    probe.write_text(
        "from lwnode.lwm2m import values\n"
        "def test_literal(): assert 1790000001.0 == 1790000000\n"
        "def test_sum(): assert 16777216.0 + 1 == 16777216\n"
        "def test_quotient(): assert str(1 / 3)[:10] == '0.33333334'\n"
        "def test_text(): assert str(float('0.1'))[:12] == '0.1000000014'\n"
        "def test_inside_the_mapper(): assert values.decode_value(4, b'16777217') == 16777216\n"
        "def test_overflow(): assert 1e39 == 1e300\n"
    )
    code, output = run(probe)
    assert code == 0 and "6 tests with 32-bit floats, 0 failed" in output, output
