"""Debian's Chromium, headless: opens a page of ours from a file and tells what a person's browser would have shown.

Nothing is fetched: the page is a file, and the browser is told to resolve no host at all.
"""

import pathlib
import shutil
import subprocess
import tempfile

QUIET = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr", "--v=0",
]  # fmt: skip


def path():
    """Where the browser is, or None."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Opened:
    """What a page came to: its document after its scripts ran, and what they complained of."""

    def __init__(self, dom, log):
        self.dom = dom
        self.complaints = [line for line in log.splitlines() if "CONSOLE" in line]


def run(page: pathlib.Path, *options):
    """Opens `page` with more options; answers standard output and error."""
    with tempfile.TemporaryDirectory() as profile:
        command = [path(), *QUIET, f"--user-data-dir={profile}", "--virtual-time-budget=10000", *options, page.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return done.stdout, done.stderr


def opened(page: pathlib.Path):
    """The page after it was opened."""
    return Opened(*run(page, "--dump-dom"))
