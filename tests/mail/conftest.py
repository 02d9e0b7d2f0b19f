"""The post of the board under test."""

from tests.accounts.conftest import post

__all__ = ["post"]
