from pathlib import Path

import pytest

# What these find wrong is told with its values, as in the tests. Before they are imported.
pytest.register_assert_rewrite(*(path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("test_")))

from clocks import clock, clock_library  # noqa: F401: fixtures
from faults import faults, faults_library  # noqa: F401: fixtures
from gateway import Gateway
from postgresql_server import Server
from tls import certificates, shared_tls, tls_config  # noqa: F401: fixtures


# The workers of pytest-xdist begin with these files, so that none of them is still running at the end.
LONGEST = ["test_celery.py", "test_accepted.py", "test_page.py", "test_page_deletes.py", "test_start_crash.py", "test_client_libraries.py", "test_out_of_memory.py",
           "test_full_disk.py", "test_import_crash.py", "test_undo.py", "test_durability.py"]


def pytest_configure(config):
    config.addinivalue_line("markers", "released: tests/run runs it with the released build only")
    config.addinivalue_line("markers", "sanitized: tests/run runs it with the build of ASan and UBSan only")
    # Otherwise a test whose threads find something wrong passes.
    config.addinivalue_line("filterwarnings", "error::pytest.PytestUnhandledThreadExceptionWarning")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


@pytest.fixture
def database(tmp_path):
    return tmp_path / "tallygate.db"


@pytest.fixture
def gw(database):
    """A gateway of the test's own, with a database."""
    with Gateway(database=database) as g:
        yield g


@pytest.fixture(scope="module")
def shared():
    """One gateway for all tests of a file that each keep to a job of their own."""
    with Gateway("--log.level=debug") as g:
        yield g


@pytest.fixture(scope="session")
def postgresql():
    """One server for all tests, each of which has a schema of its own. Nobody stops it."""
    server = Server()
    try:
        yield server.start()
    finally:
        server.end()
