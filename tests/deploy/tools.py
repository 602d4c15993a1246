"""Paths of the repository, and the programs that tests/run unpacks."""
import os
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / "build" / "tools"
OBSERVABILITY = ROOT / "deploy" / "observability"


def tool(name):
    """The path of a program. $PROMETHEUS names another Prometheus, $PROMTOOL another promtool."""
    found = os.environ.get(name.upper().replace("-", "_")) or shutil.which(name, path=f"{os.environ['PATH']}:{TOOLS}/usr/sbin")
    assert found, f"no {name}: tests/run gets it"
    return found
