import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_the_reference_pages_are_those_of_the_schemas():
    command = [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr


def test_every_key_column_and_option_is_described():
    for page in sorted((ROOT / "docs" / "reference").glob("*.md")):
        bare = [line for line in page.read_text(encoding="utf-8").splitlines() if line.endswith("|  |")]
        assert not bare, f"{page.name}: {bare}"
