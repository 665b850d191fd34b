"""Reports for the browser: made as data, rendered by the code that renders them in AWS."""

import copy
import json
import pathlib
import subprocess

import chromium
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FINDING = {
    "id": "finding-000000000000", "rule": "eks_audit_logs_on", "title": "Control-plane audit logs are off", "severity": "high",
    "account": "123456789012", "region": "us-east-1", "asset": "eks.cluster/prod", "controls": ["cis-eks-1.8.0/2.1.1"],
    "readings": [{"at": "logging.types", "source": "eks:DescribeCluster", "found": "[]", "expected": "has audit"}],
    "fix": "Enable audit logs.", "action": None, "first_seen": "2026-11-20T03:00:00Z", "last_seen": "2026-11-26T03:00:00Z",
    "resolved_at": None, "waiver": None,
}  # fmt: skip
PLACE = {"account": "123456789012", "region": "us-east-1"}


def report(word="harmless", findings=None):
    """A report in which every word that an attacker can choose is `word`."""
    of = lambda thing: json.loads(json.dumps(thing).replace('"?"', json.dumps(word)))  # noqa: E731
    finding = {**FINDING, "title": word, "asset": word, "rule": word, "fix": word, "controls": [word]}
    finding["readings"] = [{"at": word, "source": word, "found": word, "expected": word}]
    finding["waiver"] = {"rule": word, "asset": word, "owner": word, "reason": word, "until": "2026-11-01T00:00:00Z"}
    return of({
        "of": "?", "stack": "?", "at": "2026-11-26T04:00:00Z", "mode": "?",
        "assessment": {
            "accounts": ["123456789012"], "at": "2026-11-26T04:00:00Z", "evaluations": [],
            "findings": [finding] if findings is None else findings,
            "benchmarks": [{"id": "?", "name": "?", "version": "?", "controls": [
                {"id": "?", "title": "?", "section": "?", "level": 1, "outcome": {"is": "unknown", "why": "?"}, "rules": [],
                 "assets": {"fail": 1, "pass": 2}, "findings": []}]}],
            "unseen": [{"what": "?", "why": "?", "permission": "?"}],
        },
        "held": [{**PLACE, "asset": "?", "name": "?", "case": "case-0123456789ab", "since": "2026-11-26T01:00:00Z",
                  "state": "contained", "verified": "LEAKING because", "why": "?", "until": None}],
        "clusters": [{**PLACE, "name": "?", "distribution": "?", "version": "?", "nodes": 3, "confidence": 90, "owner": "?",
                      "exposure": [{"part": "?", "port": 6443, "from": "?", "world": True}], "evidence": ["?"],
                      "first_seen": "2026-11-25T01:00:00Z", "last_seen": "2026-11-26T01:00:00Z", "gone": False}],
        "assets": [{"account": "123456789012", "region": None, "asset": "?", "name": "?", "score": 90,
                    "reasons": [{"signal": "?", "weight": 50, "says": "?", "evidence": "?"}]}],
        "episodes": [{"case": "case-0123456789ab", "at": "2026-11-26T01:00:00Z", "what": "?", "took_ms": 700}],
        "trend": [{"date": "?", "open": [1, 2, 3, 4]}],
    })  # fmt: skip


def findings(count):
    """That many findings, each of its own asset, every tenth critical."""
    made = []
    for n in range(count):
        finding = copy.deepcopy(FINDING)
        finding.update(id=f"finding-{n:012x}", asset=f"eks.cluster/c-{n}", severity="critical" if n % 10 == 0 else "low")
        made.append(finding)
    return made


@pytest.fixture
def page(tmp_path):
    """Renders a report into a file for the browser."""
    if chromium.path() is None:
        pytest.skip("no Chromium on this machine; install Debian's package `chromium`")

    def render(of):
        command = ["cargo", "run", "--quiet", "--locked", "-p", "picket-report", "--example", "page"]
        done = subprocess.run(command, cwd=ROOT, input=json.dumps(of), capture_output=True, text=True, check=True)
        file = tmp_path / "report.html"
        file.write_text(done.stdout)
        return file

    return render
