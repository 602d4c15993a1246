import pytest

from clocks import clock, clock_library  # noqa: F401: fixtures
from faults import faults, faults_library  # noqa: F401: fixtures
from gateway import Gateway
from tls import certificates, shared_tls, tls_config  # noqa: F401: fixtures


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
