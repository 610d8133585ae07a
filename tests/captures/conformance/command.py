"""The command line of the conformance set."""

from __future__ import annotations

import argparse
import sys
import urllib.error
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from .backends import AnswerError, ask_adapter, ask_spandeck, read_answers, settled
from .feeding import Arrival, Receiver, feed
from .scenarios import EXPORTS, Scenario, load
from .scoring import Row, differences

_DESCRIPTION = """\
Replay recorded OTLP exports into a running backend and compare its answers with the known truths.

Start the backend on an empty store first. Without --adapter and --answers it is a Spandeck collector, asked over its
query service. README.md says what an adapter prints. The last line is "N of M scenarios right"; the exit code is 0
when N = M, 1 when not or when nothing could be asked, 2 when the command was used wrongly.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Feed, ask, score and print; the exit code."""
    options = _parser().parse_args(arguments)
    try:
        scenarios = load(options.dir, options.only)
        refused = {} if options.answers else feed(scenarios, _arrival(options), _receiver(options))
        if options.feed_only:
            return _report_feeding(scenarios, refused)
        return report(scenarios, _rows(options, scenarios), refused, verbose=options.verbose)
    except (AnswerError, OSError) as error:
        print(_sentence(error), file=sys.stderr)
        return 1


def report(scenarios: Sequence[Scenario], rows: Sequence[Row], refused: dict[str, str], *, verbose: bool) -> int:
    """Print what is wrong by scenario (with `verbose` what is right too) and the count; the exit code."""
    by_id = {row["trace_id"]: row for row in rows}
    right = 0
    for scenario in scenarios:
        own = [by_id[trace_id] for trace_id in sorted(scenario.trace_ids()) if trace_id in by_id]
        wrong = differences(scenario.expected, own)
        if scenario.name in refused:
            wrong.insert(0, refused[scenario.name])
        right += not wrong
        if wrong or verbose:
            print(f"{scenario.name}: {'; '.join(wrong) or 'right'}")
    print(f"{right} of {len(scenarios)} scenarios right")
    return 0 if right == len(scenarios) else 1


def _report_feeding(scenarios: Sequence[Scenario], refused: dict[str, str]) -> int:
    for name, sentence in refused.items():
        print(f"{name}: {sentence}")
    print(f"{len(scenarios) - len(refused)} of {len(scenarios)} scenarios accepted")
    return 1 if refused else 0


def _rows(options: argparse.Namespace, scenarios: Sequence[Scenario]) -> list[Row]:
    if options.answers:
        return read_answers(options.answers)
    ask = partial(ask_spandeck, options.query, _headers(options))
    if options.adapter:
        ask = partial(ask_adapter, options.adapter)
    return settled(ask, sum(scenario.expected["spans"] for scenario in scenarios), options.wait)


def _arrival(options: argparse.Namespace) -> Arrival:
    return Arrival(options.order == "reversed", options.twice, options.apart)


def _receiver(options: argparse.Namespace) -> Receiver:
    return Receiver(options.http.rstrip("/"), _headers(options))


def _headers(options: argparse.Namespace) -> dict[str, str]:
    token = {"Authorization": f"Bearer {options.token}"} if options.token else {}
    return token | dict(options.header)


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is no header: write NAME: VALUE.")
    return name.strip(), value.strip()


def _sentence(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"{error.url} answered {error.code}: {error.read(500).decode(errors='replace')}"
    if isinstance(error, urllib.error.URLError):
        return f"Nobody answers ({error.reason}): start the backend, or name its address with --http and --query."
    return str(error)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter)
    feeding = parser.add_argument_group("feeding")
    feeding.add_argument("--http", default="http://127.0.0.1:4318", metavar="URL", help="OTLP/HTTP, without /v1/traces")
    feeding.add_argument("--token", help="sent as a bearer token with every request")
    feeding.add_argument(
        "--header", type=_header, action="append", default=[], metavar="'NAME: VALUE'", help="sent with every request"
    )
    feeding.add_argument("--order", choices=("recorded", "reversed"), default="recorded", help="of a scenario's files")
    feeding.add_argument("--twice", action="store_true", help="send every file twice")
    feeding.add_argument("--apart", type=float, metavar="SECONDS", help="all first files, a pause, all second files")
    asking = parser.add_argument_group("asking")
    asking.add_argument(
        "--query", default="http://127.0.0.1:4319/query", metavar="URL", help="Spandeck's query service"
    )
    source = asking.add_mutually_exclusive_group()
    source.add_argument("--adapter", metavar="COMMAND", help="prints the rows of another backend")
    source.add_argument("--answers", type=Path, metavar="FILE", help="score these rows, feed nothing")
    source.add_argument("--feed-only", action="store_true", help="send everything, ask nothing")
    asking.add_argument("--wait", type=float, default=30, metavar="SECONDS", help="until all spans can be queried")
    parser.add_argument("--only", default="", metavar="PREFIX", help="scenarios whose names begin so")
    parser.add_argument("--dir", type=Path, default=EXPORTS, metavar="FOLDER", help="manifest.json and its files")
    parser.add_argument("-v", "--verbose", action="store_true", help="name the scenarios that are right too")
    return parser
