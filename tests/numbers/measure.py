"""Measures the numbers of the README on this machine and prints them as a table, or as JSON with all raw values.

    python tests/numbers/measure.py [--output table|json] [--launches N] [--events N] [--only PART]...

Needs Linux, a release build of both programs, and the packages of `tests/localcloud/requirements.txt`. Everything runs
on loopback, and nothing is left behind. A missed aim is shown as missed and is no failure of this command.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("containment", "sequence", "functions", "scan", "sweep", "sizes")


def say(line: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {line}", file=sys.stderr, flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the numbers of the README.")
    parser.add_argument("--binaries", type=Path, default=ROOT / "target" / "release", help="where the programs are")
    parser.add_argument("--launches", type=int, default=120, help="launches to contain (default 120)")
    parser.add_argument("--events", type=int, default=100, help="warm events for each function (default 100)")
    parser.add_argument("--only", action="append", choices=PARTS, help="measure this part; may be repeated")
    parser.add_argument("--output", choices=("table", "json"), default="table")
    options = parser.parse_args()
    options.functions, options.picket = options.binaries / "picket-functions", options.binaries / "picket"
    for program in (options.functions, options.picket):
        if not program.is_file():
            parser.error(f"there is no {program}; `make numbers` builds it and measures")
    return options


def main() -> None:
    if sys.platform != "linux":
        sys.exit("The numbers are measured on Linux only: they read /proc and the kernel's CPU clocks.")
    options = arguments()
    sys.path.insert(0, str(ROOT / "tests" / "localcloud"))
    import environment

    missing = environment.missing_packages()
    if missing:
        sys.exit(missing)
    rows, details = measure(options)
    if options.output == "json":
        print(json.dumps({"rows": [row.as_dict() for row in rows], **details}, indent=1))
    else:
        from rows import markdown

        print(markdown(rows))
        print()
        print(notes(details))


def measure(options: argparse.Namespace) -> tuple[list, dict]:
    """Runs the parts that are wanted; those that share a local cloud of which the event sources are off, together."""
    import containment
    import functions
    import machine
    import sequence
    import sweep
    from stage import deployed

    wanted = options.only or PARTS
    rows: dict[str, list] = {}
    details: dict = {"machine": machine.describe(), "date": time.strftime("%Y-%m-%d")}
    with tempfile.TemporaryDirectory() as logs:
        if "containment" in wanted:
            with deployed(options.functions, Path(logs)) as stage:
                rows["containment"], details["containment"] = containment.measure(stage, options.launches, say)
        if {"sequence", "functions"} & set(wanted):
            with deployed(options.functions, Path(logs)) as stage:
                stage.switch_off_event_sources()
                if "functions" in wanted:
                    rows["functions"], details["functions"] = functions.measure(stage, options.events, say)
                if "sequence" in wanted:
                    rows["sequence"], details["sequence"] = sequence.measure(stage, say)
                details["complaints"] = stage.complaints()
                for line in details["complaints"][:10]:
                    say(f"a function said: {line[:300]}")
    if "sweep" in wanted:
        with tempfile.TemporaryDirectory() as logs, deployed(options.functions, Path(logs)) as stage:
            stage.switch_off_event_sources()
            rows["sweep"], details["sweep"] = sweep.measure(stage, say)
            say(f"calls: {details['sweep']['calls']}")
    if "scan" in wanted:
        import scan

        rows["scan"], details["scan"] = scan.measure(options.picket, say)
    if "sizes" in wanted:
        rows["sizes"] = machine.sizes([options.functions, options.picket])
    details["machine"]["load_after"] = machine.load()
    return [row for part in PARTS for row in rows.get(part, [])], details


def notes(details: dict) -> str:
    machine = details["machine"]
    return (
        f"{machine['processor']}, {machine['cores']} cores, load average {machine['load']} at the start and "
        f"{machine['load_after']} at the end; {details['date']}.\n"
        "Wall times include the local cloud, which is one Python process on the same cores and answers a call in "
        "several milliseconds;\nCPU times and memory are the function's alone. One miner is a g5.48xlarge with two "
        "interfaces."
    )


if __name__ == "__main__":
    main()
