"""Deploys a SAM template into the local cloud as it is.

Does what `sam package` and `sam deploy` do: puts each function's binary into a zip as `bootstrap`, uploads it and the
nested templates to S3, points CodeUri and TemplateURL at them, creates or updates the stack and waits. The template is
not changed; a parameter named Architecture(s) gets this machine's. Used by `run.py`, or alone:

    python tests/localcloud/deploy.py --endpoint http://127.0.0.1:4566 --binary PATH [--parameter K=V]... template.yaml
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

import environment

STACK = "picket"
BUCKET = "picket-local-artifacts"
_WAIT_SECONDS = 180


class Failed(Exception):
    """The deployment did not work; the message says why."""


# --- YAML with CloudFormation's short forms


class _Tagged:
    """A value with one of CloudFormation's tags, such as !Ref, kept as it was written."""

    def __init__(self, tag: str, value: Any):
        self.tag, self.value = tag, value


def _yaml() -> tuple[Any, type, type]:
    import yaml

    class Loader(yaml.SafeLoader):
        """Reads every unknown tag as _Tagged, and dates as text."""

    class Dumper(yaml.SafeDumper):
        """Writes _Tagged back."""

        def ignore_aliases(self, data: Any) -> bool:
            return True

    def construct(loader: Any, suffix: str, node: Any) -> _Tagged:
        if isinstance(node, yaml.ScalarNode):
            return _Tagged(f"!{suffix}", loader.construct_scalar(node))
        if isinstance(node, yaml.SequenceNode):
            return _Tagged(f"!{suffix}", loader.construct_sequence(node, deep=True))
        return _Tagged(f"!{suffix}", loader.construct_mapping(node, deep=True))

    def represent(dumper: Any, data: _Tagged) -> Any:
        if isinstance(data.value, str):
            return dumper.represent_scalar(data.tag, data.value)
        if isinstance(data.value, list):
            return dumper.represent_sequence(data.tag, data.value)
        return dumper.represent_mapping(data.tag, data.value)

    Loader.add_multi_constructor("!", construct)
    Loader.add_constructor("tag:yaml.org,2002:timestamp", Loader.construct_yaml_str)
    Dumper.add_representer(_Tagged, represent)
    return yaml, Loader, Dumper


def read(path: Path) -> dict:
    yaml, loader, _ = _yaml()
    try:
        return yaml.load(path.read_text(), Loader=loader)
    except FileNotFoundError:
        raise Failed(f"There is no template {path}.") from None
    except yaml.YAMLError as error:
        raise Failed(f"{path} is not YAML: {error}") from None


def write(template: dict) -> str:
    yaml, _, dumper = _yaml()
    return yaml.dump(template, Dumper=dumper, sort_keys=False, allow_unicode=True, width=1000)


# --- packages


class Packages:
    """Puts binaries and templates into the local cloud's S3, each once."""

    def __init__(self, s3: Any, binaries: dict[str, Path], account: str):
        self._s3, self._binaries = s3, binaries
        self._zips: dict[Path, str] = {}
        self._bucket = f"{BUCKET}-{account}"
        s3.create_bucket(Bucket=self._bucket)

    def _put(self, content: bytes, suffix: str) -> str:
        key = f"{hashlib.sha256(content).hexdigest()}{suffix}"
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=content)
        return key

    def code(self, function: str, handler: str, folder: str) -> str:
        """The S3 address of a function's zip, chosen by its name, its handler or its folder."""
        names = (function, handler, Path(folder).name, "")
        binary = next((self._binaries[name] for name in names if name in self._binaries), None)
        if binary is None:
            given = ", ".join(sorted(filter(None, self._binaries))) or "none"
            raise Failed(f"No --binary for function {function} (handler {handler}); given: {given}.")
        if binary not in self._zips:
            self._zips[binary] = self._put(zipped(binary), ".zip")
        return f"s3://{self._bucket}/{self._zips[binary]}"

    def template(self, path: Path) -> str:
        """The URL of a template whose parts have been uploaded."""
        key = self._put(write(packaged(read(path), path.parent, self)).encode(), ".template")
        return f"https://s3.{environment.REGION}.amazonaws.com/{self._bucket}/{key}"


def zipped(binary: Path) -> bytes:
    """A Lambda package of one program, stripped of debug data when `strip` is there."""
    if not binary.is_file():
        raise Failed(f"There is no program {binary}; build it first.")
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "bootstrap"
        shutil.copyfile(binary, program)
        if shutil.which("strip") and program.read_bytes()[:4] == b"\x7fELF":
            subprocess.run(["strip", str(program)], check=False, capture_output=True)
        content = io.BytesIO()
        entry = zipfile.ZipInfo("bootstrap", date_time=(2020, 1, 1, 0, 0, 0))
        entry.external_attr = 0o755 << 16
        entry.compress_type = zipfile.ZIP_STORED
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr(entry, program.read_bytes())
    return content.getvalue()


def packaged(template: dict, folder: Path, packages: Packages) -> dict:
    """The template with its local files replaced by what was uploaded."""
    shared = ((template.get("Globals") or {}).get("Function")) or {}
    for name, resource in (template.get("Resources") or {}).items():
        properties = resource.setdefault("Properties", {})
        kind = resource.get("Type")
        if kind == "AWS::Serverless::Function" and "InlineCode" not in properties:
            place = properties.get("CodeUri", shared.get("CodeUri", "."))
            handler = properties.get("Handler", shared.get("Handler", ""))
            properties["CodeUri"] = packages.code(name, str(handler), str(place))
        elif kind == "AWS::CloudFormation::Stack" and _is_local(properties.get("TemplateURL")):
            properties["TemplateURL"] = packages.template(folder / properties["TemplateURL"])
        elif kind == "AWS::Serverless::Application" and _is_local(properties.get("Location")):
            properties["Location"] = packages.template(folder / properties["Location"])
    shared.pop("CodeUri", None)
    return template


def _is_local(place: Any) -> bool:
    return isinstance(place, str) and "://" not in place


# --- the stack


def architecture() -> str:
    return "arm64" if platform.machine().lower() in ("aarch64", "arm64") else "x86_64"


def parameters_of(template: dict, given: dict[str, str]) -> list[dict]:
    declared = template.get("Parameters") or {}
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise Failed(f"The template has no parameter {', '.join(unknown)}; it has {', '.join(sorted(declared))}.")
    values = {name: architecture() for name in ("Architecture", "Architectures") if name in declared}
    values.update(given)
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]


def deploy(
    endpoint: str, template: Path, binaries: dict[str, Path], given: dict[str, str], stack: str = STACK,
    account: str = environment.ADMIN["AWS_ACCESS_KEY_ID"], region: str = environment.REGION,
) -> str:  # fmt: skip
    """Deploy into an account and Region, and wait; returns one line that says what was done."""
    import boto3

    started = time.monotonic()
    client = boto3.Session(
        aws_access_key_id=account,
        aws_secret_access_key=environment.ADMIN["AWS_SECRET_ACCESS_KEY"],
        region_name=environment.REGION,
    ).client
    packages = Packages(client("s3", endpoint_url=endpoint), binaries, account)
    cloudformation = client("cloudformation", endpoint_url=endpoint, region_name=region)
    source = read(template)
    request = {
        "StackName": stack,
        "TemplateURL": packages.template(template),
        "Parameters": parameters_of(source, given),
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    }
    what = _create_or_update(cloudformation, stack, request)
    _wait(cloudformation, stack)
    count = len(cloudformation.describe_stack_resources(StackName=stack)["StackResources"])
    return f"{what} stack {stack} of {count} resources in {time.monotonic() - started:.1f} s"


def secret(endpoint: str, name: str, text: str) -> str:
    """Puts a secret beside the stack; returns its ARN, for a parameter that takes one."""
    import boto3

    session = boto3.Session(
        aws_access_key_id=environment.ADMIN["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment.ADMIN["AWS_SECRET_ACCESS_KEY"],
        region_name=environment.REGION,
    )
    return session.client("secretsmanager", endpoint_url=endpoint).create_secret(Name=name, SecretString=text)["ARN"]


def _create_or_update(cloudformation: Any, stack: str, request: dict) -> str:
    from botocore.exceptions import ClientError

    try:
        cloudformation.describe_stacks(StackName=stack)
    except ClientError:
        cloudformation.create_stack(**request)
        return "created"
    try:
        cloudformation.update_stack(**request)
    except ClientError as error:
        if "No updates" not in str(error):
            raise
    return "updated"


def _wait(cloudformation: Any, stack: str) -> None:
    deadline = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < deadline:
        found = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        status = found["StackStatus"]
        if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            return
        if not status.endswith("IN_PROGRESS"):
            raise Failed(f"Stack {stack} is {status}:\n{_reasons(cloudformation, stack, found)}")
        time.sleep(0.05)
    raise Failed(f"Stack {stack} is not complete after {_WAIT_SECONDS} s.")


def _reasons(cloudformation: Any, stack: str, found: dict) -> str:
    """Why the stack failed: the failed resources, those of nested stacks included."""
    lines = [found.get("StackStatusReason", "")]
    for event in cloudformation.describe_stack_events(StackName=stack)["StackEvents"]:
        if not event["ResourceStatus"].endswith("FAILED"):
            continue
        lines.append(f"  {event['LogicalResourceId']} ({event['ResourceType']}): {event.get('ResourceStatusReason', '')}")
        nested = event.get("PhysicalResourceId") or ""
        if event["ResourceType"] == "AWS::CloudFormation::Stack" and nested and nested != found.get("StackId"):
            lines.append(_reasons_of_nested(cloudformation, nested))
    return "\n".join(dict.fromkeys(line for line in lines if line))


def _reasons_of_nested(cloudformation: Any, stack: str) -> str:
    from botocore.exceptions import ClientError

    try:
        return _reasons(cloudformation, stack, {"StackId": stack})
    except ClientError:
        return ""


# --- the command


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--binary", action="append", default=[], metavar="[NAME=]PATH", help="the functions' program")
    parser.add_argument("--parameter", action="append", default=[], metavar="K=V", help="a parameter of the template")
    parser.add_argument("--stack", default=STACK, help=f"name of the stack (default {STACK})")


def binaries_from(options: list[str]) -> dict[str, Path]:
    """`NAME=PATH` by name; a bare PATH is for every function without one."""
    pairs = (option.rpartition("=") for option in options)
    return {name: Path(path) for name, _, path in pairs}


def parameters_from(options: list[str]) -> dict[str, str]:
    wrong = [option for option in options if "=" not in option]
    if wrong:
        raise Failed(f"--parameter wants K=V, not {wrong[0]!r}.")
    return {key: value for key, _, value in (option.partition("=") for option in options)}


def main() -> None:
    parser = argparse.ArgumentParser(description="Deploy a SAM template into the local cloud.")
    parser.add_argument("template", type=Path)
    parser.add_argument("--endpoint", default=os.environ.get("AWS_ENDPOINT_URL", "http://127.0.0.1:4566"))
    add_arguments(parser)
    options = parser.parse_args()
    missing = environment.missing_packages()
    if missing:
        sys.exit(missing)
    if not options.endpoint.startswith(f"http://{environment.HOST}:"):
        sys.exit(f"{options.endpoint} is not a local cloud; it must begin with http://{environment.HOST}:.")
    clean = environment.without_real_credentials(dict(os.environ))
    os.environ.clear()
    os.environ.update(clean)
    try:
        binaries, parameters = binaries_from(options.binary), parameters_from(options.parameter)
        print(deploy(options.endpoint, options.template, binaries, parameters, options.stack))
    except Failed as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
