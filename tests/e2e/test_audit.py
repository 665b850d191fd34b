"""The audit trail: the journal is exported as it is written, and what is changed afterwards is found and named."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tarfile
from pathlib import Path
from typing import Any, Iterator

import pytest
from deployment import ROOT, Deployment, eventually

PICKET = Path(os.environ.get("PICKET_CLI", ROOT / "target" / "debug" / "picket"))
START = "0" * 64


@pytest.fixture
def case(picket: Deployment, place: Any) -> str:
    """A case that was contained and released, and is exported to its end."""
    [instance] = picket.launch_miner(place)
    picket.contain(place, instance)
    case = picket.case_of(instance)
    assert picket.invoke_release(case=case)["is"] == "done"
    picket.settle()
    exported = lambda: entries_of(picket, case) == len(picket.journal_of(case))  # noqa: E731
    eventually(exported, f"the whole journal of {case} in the bucket", 30)
    return case


def bucket_of(picket: Deployment) -> str:
    found = picket.client("lambda").get_function_configuration(FunctionName=f"{picket.stack}-audit")
    return found["Environment"]["Variables"]["PICKET_AUDIT_BUCKET"]


def keys_of(picket: Deployment) -> list[str]:
    pages = picket.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket_of(picket), Prefix="audit/")
    return sorted(found["Key"] for page in pages for found in page.get("Contents", []))


def body_of(picket: Deployment, key: str) -> bytes:
    return picket.client("s3").get_object(Bucket=bucket_of(picket), Key=key)["Body"].read()


def records_of(picket: Deployment) -> list[dict]:
    return [json.loads(line) for key in keys_of(picket) for line in body_of(picket, key).splitlines()]


def entries_of(picket: Deployment, case: str) -> int:
    return sum(len(record["entries"]) for record in records_of(picket) if record["pk"] == f"case#{case}")


def segment_of(picket: Deployment, case: str) -> str:
    """The key of a segment that tells of a case."""
    return next(key for key in keys_of(picket) if case.encode() in body_of(picket, key))


def run(picket: Deployment, *args: str, folder: Path = ROOT, code: int = 0) -> dict:
    """What the command line answers, as JSON."""
    env = {
        "PATH": os.environ["PATH"], "AWS_ACCESS_KEY_ID": picket.account, "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": picket.region, "AWS_ENDPOINT_URL": picket.cloud.endpoint, "PICKET_STACK": picket.stack,
        "AWS_EC2_METADATA_DISABLED": "true", "NO_PROXY": "*",
    }  # fmt: skip
    command = [str(PICKET), "audit", *args, "--output", "json"]
    done = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == code, f"{done.returncode}: {done.stdout[-3000:]} {done.stderr}"
    return json.loads(done.stdout)


def problems(picket: Deployment) -> list[dict]:
    """What `picket audit verify` finds wrong."""
    said = run(picket, "verify", code=1)
    assert not said["intact"] and said["next"], said
    return said["chains"][0]["problems"]


class Tampering:
    """Changes behind Picket's back, put back at the end: the bucket's versions, and the table's rows."""

    def __init__(self, picket: Deployment):
        self.picket, self.s3, self.bucket = picket, picket.client("s3"), bucket_of(picket)
        self._before: dict[str, bytes] = {}

    def write(self, key: str, body: bytes) -> None:
        self._before.setdefault(key, body_of(self.picket, key))
        self._remove(key)
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, IfNoneMatch="*")

    def delete(self, key: str) -> None:
        self._before.setdefault(key, body_of(self.picket, key))
        self._remove(key)

    def put_back(self) -> None:
        for key, body in self._before.items():
            self._remove(key)
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, IfNoneMatch="*")

    def _remove(self, key: str) -> None:
        """With every version: as somebody would who may go past the lock."""
        found = self.s3.list_object_versions(Bucket=self.bucket, Prefix=key)
        for version in found.get("Versions", []) + found.get("DeleteMarkers", []):
            self.s3.delete_object(
                Bucket=self.bucket, Key=key, VersionId=version["VersionId"], BypassGovernanceRetention=True
            )


@pytest.fixture
def tampering(picket: Deployment) -> Iterator[Tampering]:
    tampering = Tampering(picket)
    yield tampering
    tampering.put_back()


def test_a_quarantine_and_a_release_are_exported_whole_and_the_chain_is_intact(picket, case):
    said = run(picket, "verify")
    [chain] = said["chains"]
    assert said["intact"] and chain["problems"] == [], said
    assert chain["table"]["same"] == chain["table"]["rows"] > 0, chain
    records = records_of(picket)
    assert chain["last"] == {"record": len(records), "hash": records[-1]["hash"]}
    mine = [entry for r in records if r["pk"] == f"case#{case}" for entry in r["entries"]]
    assert mine == picket.journal_of(case)


def test_anybody_can_check_the_chain_without_picket(picket, case):
    before = START
    for n, record in enumerate(records_of(picket), 1):
        said = record.pop("hash")
        spelled = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert (record["seq"], record["prev"], hashlib.sha256(spelled.encode()).hexdigest()) == (n, before, said)
        before = said


def test_a_changed_record_is_named_with_its_segment_and_case(picket, case, tampering):
    key = segment_of(picket, case)
    tampering.write(key, body_of(picket, key).replace(b"contain_", b"release_", 1).replace(b"planned", b"refused", 1))
    found = problems(picket)
    assert {(p["is"], p["segment"]) for p in found} >= {("changed", key)}, found


def test_a_removed_segment_is_missing_and_a_cut_end_too(picket, case, tampering):
    keys = keys_of(picket)
    tampering.delete(keys[-1])
    assert {p["is"] for p in problems(picket)} >= {"cut_off"}
    tampering.put_back()
    assert run(picket, "verify")["intact"]
    tampering.delete(keys[0])
    found = problems(picket)
    assert {p["is"] for p in found} >= {"missing"}, found
    assert found[0]["says"] == "segment 1 is not there"


def test_two_segments_that_changed_places_are_reordered(picket, case, tampering):
    one, two = keys_of(picket)[:2]
    bodies = body_of(picket, one), body_of(picket, two)
    tampering.write(one, bodies[1])
    tampering.write(two, bodies[0])
    assert {p["is"] for p in problems(picket)} >= {"reordered"}


def test_a_segment_cannot_be_written_over_by_the_function_that_writes_them(picket, case):
    s3, key = picket.client("s3", picket.session_of("audit")), keys_of(picket)[0]
    for call in (
        lambda: s3.put_object(Bucket=bucket_of(picket), Key=key, Body=b"x", IfNoneMatch="*"),
        lambda: s3.put_object(Bucket=bucket_of(picket), Key=key, Body=b"x"),
        lambda: s3.put_object(Bucket=bucket_of(picket), Key=key.replace("0000", "9999", 1), Body=b"x"),
        lambda: s3.delete_object(Bucket=bucket_of(picket), Key=key),
        lambda: s3.put_object(Bucket=bucket_of(picket), Key="elsewhere", Body=b"x", IfNoneMatch="*"),
    ):
        with pytest.raises(s3.exceptions.ClientError):
            call()
    assert run(picket, "verify")["intact"]


def test_the_bundle_of_a_case_holds_what_it_says_and_fits_its_sums(picket, case, tmp_path):
    said = run(picket, "bundle", case, folder=tmp_path)
    file = tmp_path / f"{case}.tar.gz"
    assert hashlib.sha256(file.read_bytes()).hexdigest() == said["sha256"]
    with tarfile.open(file) as archive:
        archive.extractall(tmp_path, filter="data")
    names = {str(p.relative_to(tmp_path / case)) for p in (tmp_path / case).rglob("*") if p.is_file()}
    instance = json.loads((tmp_path / case / "holds.json").read_text())[0]["instance"]
    wanted = {"README.txt", "SHA256SUMS", "manifest.json", "journal.jsonl", "chain.jsonl", "holds.json"}
    assert names >= wanted | {f"evidence/{instance}/evidence.json"}, names
    assert names == {listed["name"] for listed in said["files"]}
    subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=tmp_path / case, check=True)
    journal = [json.loads(line) for line in (tmp_path / case / "journal.jsonl").read_text().splitlines()]
    assert journal == picket.journal_of(case)
    assert run(picket, "verify", "--bundle", file.name, folder=tmp_path)["intact"]


def test_a_bundle_that_was_changed_is_not_intact(picket, case, tmp_path):
    run(picket, "bundle", case, "-o", "a.tar.gz", folder=tmp_path)
    with tarfile.open(tmp_path / "a.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    holds = tmp_path / case / "holds.json"
    holds.write_text(holds.read_text().replace("instance", "instanze", 1))
    with tarfile.open(tmp_path / "b.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / case, case)
    said = run(picket, "verify", "--bundle", "b.tar.gz", folder=tmp_path, code=1)
    assert [p["segment"] for p in said["problems"]] == ["holds.json"], said


def test_an_auditor_with_a_copy_of_the_bucket_needs_no_account(picket, case, tmp_path):
    noted = run(picket, "verify")["chains"][0]["last"]["hash"]
    for key in keys_of(picket):
        file = tmp_path / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body_of(picket, key))
    assert run(picket, "verify", "--from", str(tmp_path), "--noted", noted)["intact"]
    file.write_bytes(b"\n".join(file.read_bytes().splitlines()[:-1]) + b"\n")
    said = run(picket, "verify", "--from", str(tmp_path), "--noted", noted, code=1)
    assert said["chains"][0]["problems"], said


# The last test: what was done to the table stays in the chain for ever.
def test_a_row_of_the_journal_that_is_changed_or_removed_is_named_by_both(picket, case):
    rows = [row for row in picket.items(f"case#{case}") if row["sk"]["S"].startswith("journal#")]
    kept, changed, removed = len(records_of(picket)), rows[0], rows[-1]
    picket.put({**changed, "body": {"S": "[]"}})
    key = {"pk": removed["pk"], "sk": removed["sk"]}
    picket.client("dynamodb").delete_item(TableName=f"{picket.stack}-state", Key=key)
    try:
        eventually(lambda: len(records_of(picket)) >= kept + 2, "both changes in the chain")
        kinds = [record["kind"] for record in records_of(picket)[kept:]]
        assert kinds == ["changed", "removed"], kinds
        found = [(p["is"], p["case"]) for p in problems(picket)]
        assert found == [("tampered", case), ("tampered", case)], found
    finally:
        picket.put(changed)
        picket.put(removed)
