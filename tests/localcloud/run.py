"""Runs a command with a local cloud of its own, and ends the cloud with it.

    python tests/localcloud/run.py [--port N] [--template template.yaml --binary PATH [--parameter K=V]...] -- CMD ARGS

Starts `cloud.py` in a process group of its own, deploys the template when one is given (`deploy.py`), runs CMD with the
environment of the local cloud's administrator, and passes on CMD's exit code. Nothing is left behind, however it ends.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

if sys.version_info < (3, 10):
    sys.exit("The local cloud needs Python 3.10 or newer; this is " + sys.version.split()[0] + ".")

import environment
from cloud import end_with_parent

HERE = Path(__file__).parent
_GRACE_SECONDS = 5


class Cloud:
    """A local cloud as a child process; use with `with`."""

    def __init__(self, port: int = 0, log_level: str = "WARNING"):
        command = [sys.executable, str(HERE / "cloud.py"), "--port", str(port), "--log-level", log_level, "--with-parent"]
        self._process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
            env=environment.without_real_credentials(dict(os.environ)),
        )
        line = self._process.stdout.readline()
        if not line.startswith("ready "):
            self.stop()
            raise SystemExit(self._process.returncode or 1)
        self.endpoint = line.split()[1]

    @property
    def port(self) -> int:
        return int(self.endpoint.rsplit(":", 1)[1])

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> None:
        """End the cloud and whatever is left of its process group."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE_SECONDS)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE_SECONDS)

    def __enter__(self) -> Cloud:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Ended(Exception):
    """A signal asks us to end."""


def _end(number: int, _: object) -> None:
    raise _Ended(number)


def run_command(command: list[str], cloud: Cloud) -> int:
    """Run the command as the local administrator; a signal ends it too."""
    env = environment.without_real_credentials(dict(os.environ))
    env.update(environment.for_clients(cloud.port))
    try:
        child = subprocess.Popen(command, env=env, preexec_fn=end_with_parent)
    except OSError as error:
        print(f"{command[0]} cannot be run: {error.strerror}.", file=sys.stderr)
        return 127
    try:
        code = child.wait()
    except _Ended:
        child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_GRACE_SECONDS)
        child.kill()
        raise
    return code if code >= 0 else 128 - code


def arguments() -> argparse.Namespace:
    import deploy

    parser = argparse.ArgumentParser(description="Run a command with a local cloud of its own.")
    parser.add_argument("--port", type=int, default=0, help="of the local cloud; 0 picks a free one (default)")
    parser.add_argument("--template", type=Path, help="a SAM template to deploy first")
    parser.add_argument("--log-level", default="WARNING", help="of the emulators, on stderr")
    deploy.add_arguments(parser)
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="-- CMD ARGS")
    options = parser.parse_args()
    options.command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not options.command:
        parser.error("a command is needed after --")
    return options


def main() -> int:
    missing = environment.missing_packages()
    if missing:
        sys.exit(missing)
    options = arguments()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    try:
        with Cloud(options.port, options.log_level) as cloud:
            if options.template:
                _deploy(options, cloud)
            return run_command(options.command, cloud)
    except _Ended as ended:
        return 128 + ended.args[0]


def _deploy(options: argparse.Namespace, cloud: Cloud) -> None:
    import deploy

    try:
        binaries, parameters = deploy.binaries_from(options.binary), deploy.parameters_from(options.parameter)
        line = deploy.deploy(cloud.endpoint, options.template, binaries, parameters, options.stack)
    except deploy.Failed as error:
        raise SystemExit(str(error)) from None
    print(line, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
