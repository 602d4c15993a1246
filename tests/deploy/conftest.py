import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
# For gateway.py and others, which start programs, and for the application of compose.yaml.
sys.path[:0] = [str(TESTS / "integration"), str(TESTS.parent / "deploy" / "compose")]


def pytest_configure(config):
    # Otherwise a test whose threads find something wrong passes.
    config.addinivalue_line("filterwarnings", "error::pytest.PytestUnhandledThreadExceptionWarning")
