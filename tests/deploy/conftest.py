import sys
from pathlib import Path

# gateway.py and others, which start programs.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))
