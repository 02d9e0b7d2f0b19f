"""The post of the board under test."""

import pytest

from tests.accounts.postbox import Postbox
from tests.conftest import Board


@pytest.fixture
def post(board: Board) -> Postbox:
    box = Postbox(board.app)
    box.empty()
    return box
