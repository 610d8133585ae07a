"""Whole processes: what loads, how they end, and what a fork does."""

import pytest

from .conftest import RunProgram
from .sink import Sink

pytestmark = pytest.mark.integration

PROGRAM = """
    import spandeck
    spandeck.configure()
    with spandeck.request("program") as req:
        with req.llm_call("m") as call:
            call.usage(input_tokens=1)
"""


def test_importing_the_client_loads_nothing_heavy(run_program: RunProgram) -> None:
    done = run_program(
        """
        import sys, threading, spandeck
        heavy = {"duckdb", "streamlit", "pandas", "pyarrow", "grpc", "opentelemetry.sdk", "google.protobuf"}
        print(sorted(heavy & sys.modules.keys()), threading.active_count())
        """
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "[] 1\n", "")


def test_using_the_client_loads_no_server_part(run_program: RunProgram) -> None:
    done = run_program(
        PROGRAM
        + """
    import sys
    print(sorted({"duckdb", "streamlit", "pandas", "pyarrow", "grpc"} & sys.modules.keys()))
        """
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")


def test_a_program_delivers_at_its_end(run_program: RunProgram, sink: Sink) -> None:
    done = run_program(PROGRAM)
    assert (done.returncode, done.stderr) == (0, "")
    root = sink.span("invoke_agent program")
    assert root.attributes["spandeck.cold_start"] is True
    assert root.resource["service.name"] == "program"
    assert sink.span("chat m").parent_id == root.span_id


def test_a_program_ends_while_the_collector_is_silent(run_program: RunProgram, sink: Sink) -> None:
    sink.silent = True
    done = run_program(PROGRAM)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_program_ends_while_nobody_listens_and_says_so_once(run_program: RunProgram, sink: Sink) -> None:
    sink.endpoint = "http://127.0.0.1:1"
    done = run_program(PROGRAM + "    print('done')\n")
    assert (done.returncode, done.stdout) == (0, "done\n")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("Spandeck at http://127.0.0.1:1 did not take spans (")


def test_a_collector_that_is_always_busy_does_not_hold_the_end(run_program: RunProgram, sink: Sink) -> None:
    sink.status = 503
    done = run_program(PROGRAM)
    assert done.returncode == 0
    assert "503" in done.stderr


def test_the_program_s_own_error_and_exit_code_stay(run_program: RunProgram, sink: Sink) -> None:
    done = run_program(PROGRAM + "        raise SystemExit(3)\n")
    assert (done.returncode, done.stderr) == (3, "")
    assert sink.span("invoke_agent program").attributes["error.type"] == "SystemExit"


def test_a_forked_child_reports_for_itself(run_program: RunProgram, sink: Sink) -> None:
    """The child's spans hang below the open request, which only the parent ends; nothing arrives twice."""
    done = run_program(
        """
        import os, sys, warnings, spandeck
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12: fork beside a thread
        spandeck.configure()
        with spandeck.request("before"):
            pass
        with spandeck.request("parent") as req:
            child = os.fork()
            if child == 0:
                req.tool_call_done("in_child", duration_ms=1)
                with spandeck.request("child"):
                    pass
                sys.exit(0)
            assert os.waitpid(child, 0)[1] == 0
        """
    )
    assert (done.returncode, done.stderr) == (0, "")
    names = sorted(span.name for span in sink.spans)
    assert names == [
        "execute_tool in_child",
        "invoke_agent before",
        "invoke_agent child",
        "invoke_agent parent",
    ]
    parent = sink.span("invoke_agent parent")
    assert sink.span("invoke_agent child").parent_id == parent.span_id
    assert sink.span("execute_tool in_child").parent_id == parent.span_id
    assert sink.span("invoke_agent child").attributes["spandeck.cold_start"] is True


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_of_multiprocessing_deliver_at_their_end(run_program: RunProgram, sink: Sink, method: str) -> None:
    """They run no atexit; a spawned one configures itself, a forked one goes on as it was configured."""
    work = "spandeck.request('worker').complete()"
    if method == "spawn":
        work = f"(spandeck.configure(), {work})"
    done = run_program(
        f"""
        import multiprocessing, spandeck
        spandeck.configure()
        spandeck.request("main").complete()
        work = "[{work} for spandeck in [__import__('spandeck')]]"
        worker = multiprocessing.get_context({method!r}).Process(target=eval, args=(work,))
        worker.start()
        worker.join()
        assert worker.exitcode == 0
        """
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(span.name for span in sink.spans) == ["invoke_agent main", "invoke_agent worker"]


def test_a_forked_child_has_ids_sums_and_an_agent_of_its_own(run_program: RunProgram, sink: Sink) -> None:
    done = run_program(
        """
        import os, warnings
        import spandeck
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12: fork beside a thread
        spandeck.configure()
        agent = spandeck.Agent("desk", lambda req: "fine", cache=None)
        agent.run("in the parent")
        child = os.fork()
        for _ in range(2):
            agent.run("in both")
        if child:
            os.waitpid(child, 0)
        expected = 3 if child else 2
        assert spandeck.monitor.get_aggregate_metrics()["total_requests"] == expected
        """
    )
    assert (done.returncode, done.stderr) == (0, "")
    roots = [span for span in sink.spans if span.name == "invoke_agent desk"]
    assert len({span.trace_id for span in roots}) == len({span.span_id for span in roots}) == 5
    assert sum("spandeck.cold_start" in span.attributes for span in roots) == 2


def test_an_agent_whose_collector_is_silent_works_and_ends(run_program: RunProgram, sink: Sink) -> None:
    sink.silent = True
    done = run_program(
        """
        import spandeck
        spandeck.configure()
        agent = spandeck.Agent("desk", lambda task: f"{task} is fine")
        print(agent.run("All").text, "".join(agent.stream("Everything")))
        """
    )
    assert (done.returncode, done.stdout) == (0, "All is fine Everything is fine\n")
