"""One server for the tests of a file."""

import pytest
from delivery.serve.house import House


@pytest.fixture(scope="module")
def house():
    with House() as found:
        yield found
