"""Write the sample traces: `python sample_traces/generate.py [--seed N] [--out FOLDER]`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from generator.cases import CASES, Case, traces
from generator.otlp import exports
from generator.traffic import REFERENCE, REFERENCE_NS

SEED = 20261102
MANIFEST = "manifest.json"


def write(folder: Path, seed: int = SEED) -> None:
    """Write one file a case and the manifest into an existing folder: the same seed gives the same bytes."""
    files = [_write_case(folder, case, seed) for case in CASES]
    manifest = {
        "about": "Synthetic agent traces in OTLP/JSON, one ExportTraceServiceRequest a line.",
        "seed": seed,
        "reference": REFERENCE.isoformat(),
        "reference_unix_nano": str(REFERENCE_NS),
        "latest_end_unix_nano": max(each["latest_end_unix_nano"] for each in files),
        "files": files,
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8", newline="\n")


def _write_case(folder: Path, case: Case, seed: int) -> dict[str, Any]:
    played = list(traces(case, seed))
    sent = sorted((export for spans in played for export in exports(spans)), key=lambda export: export.sent_at_ns)
    text = "".join(export.line() + "\n" for export in sent)
    path = folder / f"{case.name}.jsonl"
    path.write_text(text, encoding="utf-8", newline="\n")
    return {
        "file": path.name,
        "about": case.about,
        "architecture": case.architecture,
        "trace_count": len(played),
        "span_count": sum(len(spans) for spans in played),
        "latest_end_unix_nano": str(sent[-1].sent_at_ns),
    }


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()
    write(arguments.out, arguments.seed)
    size = sum(path.stat().st_size for path in arguments.out.glob("*.jsonl"))
    print(f"{len(CASES)} files, {size / 1e6:.1f} MB in {arguments.out}", file=sys.stderr)


if __name__ == "__main__":
    _main()
