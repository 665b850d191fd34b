"""The environment the local cloud runs in.

Takes every AWS_* setting of the person who started it out of the process, so that no real credential, profile or
endpoint can reach the emulators or a function, and sets what the emulators need. Must be called before the first
import of ministack or moto. Leaves sockets, ports and processes to `cloud.py` and `run.py`.
"""

from __future__ import annotations

import os
import sys

ACCOUNT = "123456789012"
REGION = "us-east-1"
HOST = "127.0.0.1"

# The administrator: ministack takes a 12-digit access key as the root of the account of that number.
ADMIN = {"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "test"}

_EMULATOR = {
    "AUTH": "true",  # enforce IAM policies
    "BIND_HOST": HOST,
    "MINISTACK_HOST": HOST,
    "MINISTACK_ACCOUNT_ID": ACCOUNT,
    "MINISTACK_REGION": REGION,
    "IOT_MTLS_ENABLED": "0",  # would listen on all interfaces
    "SFTP_ENABLED": "0",
    "LAMBDA_EXECUTOR": "local",
    "CLOUDTRAIL_RECORDING": "0",  # `trail.py` answers LookupEvents
    "MINISTACK_AUTOCREATE_AWS_MANAGED": "1",
    "PERSIST_STATE": "0",
    "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",  # saves 0.3 s and 30 MB; any image id is accepted
}


def without_real_credentials(env: dict[str, str]) -> dict[str, str]:
    """A copy of `env` that has no AWS setting of its owner and cannot read one from a file or the metadata service."""
    clean = {key: value for key, value in env.items() if not key.startswith("AWS_")}
    clean["AWS_CONFIG_FILE"] = os.devnull
    clean["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    clean["AWS_EC2_METADATA_DISABLED"] = "true"
    return clean


def for_clients(port: int) -> dict[str, str]:
    """What a program needs in its environment to speak to the local cloud as its administrator."""
    return {
        **ADMIN,
        "AWS_ENDPOINT_URL": f"http://{HOST}:{port}",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCOUNT_ID": ACCOUNT,
        "NO_PROXY": f"{HOST},localhost",
        "PICKET_LOCAL": "1",
    }


def enter(port: int, log_level: str) -> None:
    """Make this process's environment that of the local cloud on `port`."""
    clean = without_real_credentials(dict(os.environ))
    clean.update(_EMULATOR)
    clean["GATEWAY_PORT"] = str(port)
    clean["LOG_LEVEL"] = log_level
    clean["AWS_ENDPOINT_URL"] = f"http://{HOST}:{port}"  # handed down to every function
    clean["AWS_DEFAULT_REGION"] = REGION
    clean["NO_PROXY"] = f"{HOST},localhost"
    clean["AWS_SECRET_ACCESS_KEY"] = ADMIN["AWS_SECRET_ACCESS_KEY"]
    os.environ.clear()
    os.environ.update(clean)


def missing_packages() -> str | None:
    """One sentence naming what is not installed, or None."""
    if sys.version_info < (3, 10):
        return f"The local cloud needs Python 3.10 or newer; this is {sys.version.split()[0]}."
    from importlib.util import find_spec

    absent = [name for name in ("ministack", "moto", "boto3", "yaml", "samtranslator") if find_spec(name) is None]
    if absent:
        return (
            f"The local cloud lacks the Python package(s) {', '.join(absent)}: run "
            "`pip install --require-hashes -r tests/localcloud/requirements.txt` in a virtual environment."
        )
    return None
