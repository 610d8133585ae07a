"""A sandbox for each test that asks for one."""

from tests.schema.conftest import sandbox

__all__ = ["sandbox"]
