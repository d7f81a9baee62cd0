"""What every test may use: the real inputs beside the checkout, where they are."""

from pathlib import Path

import pytest

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real inputs; the test is skipped on a clone that stands alone."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the real inputs do not stand beside this checkout")
    return SHARED_DATA
