"""The optimizer costs nothing until it is used, needs nothing but OpenTelemetry, and survives a fork."""

import subprocess
import sys
import textwrap

import pytest

import spandeck

pytestmark = pytest.mark.integration


def printed(source: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(source)], capture_output=True, text=True, timeout=20, check=True
    )
    return done.stdout.strip()


def test_importing_spandeck_does_not_load_the_optimizer_and_the_optimizer_no_numpy() -> None:
    assert printed(
        """
        import sys, spandeck
        early = "spandeck.optimizer" in sys.modules
        from spandeck import Cache, Router
        Cache(mode="verified").get("x")
        print(early, "spandeck.optimizer" in sys.modules, "numpy" in sys.modules, "asyncio" in sys.modules)
        """
    ).startswith("False True False")


def test_every_public_name_can_be_reached_and_no_other() -> None:
    assert all(getattr(spandeck, name) is not None for name in spandeck.__all__)
    assert not hasattr(spandeck, "no_such_name")


@pytest.mark.skipif(not hasattr(sys, "getrefcount") or sys.platform == "win32", reason="there is no fork here")
def test_a_forked_child_can_use_a_cache_that_a_thread_of_its_parent_was_using(tmp_path: object) -> None:
    """The thread holds the lock and leads a flight at the moment of the fork; neither exists in the child."""
    source = f"""
        import os, signal, threading, warnings
        from spandeck import Cache, SqliteStore
        warnings.simplefilter("ignore")
        cache = Cache(store=SqliteStore({str(tmp_path)!r} + "/cache.db"))
        cache.put("Is it on?", 1)
        flying, go = threading.Event(), threading.Event()
        def make():
            flying.set(); go.wait(10); return 2
        thread = threading.Thread(target=cache.get_or_make, args=("Is it off?", make))
        thread.start(); flying.wait()
        child = os.fork()
        if child == 0:
            signal.alarm(8)
            right = cache.get("is it on").value == 1 and cache.get_or_make("Is it off?", lambda: 3) == 3
            os._exit(0 if right else 1)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        go.set(); thread.join()
    """
    assert printed(source) == "0"
