"""What other tools read is of their own shape: each format is checked by what its makers publish.

`sarif-2.1.0.schema.json` is the schema of OASIS' standard, as the package @microsoft/sarif-matcher-utils 1.0.0-beta.0 carries it.
"""

from __future__ import annotations

import json

import jsonschema
import pytest
from botocore.validate import ParamValidator
from deployment import ROOT
from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding

pytestmark = pytest.mark.usefixtures("whole")

ASSESSED = ("assess", "--region", "us-east-1", "--output")


def exported(picket, form: str) -> str:
    done = picket.cli(*ASSESSED, form)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def findings(enforcing) -> list[dict]:
    return json.loads(exported(enforcing, "json"))["assessment"]["findings"]


def test_findings_for_security_hub_are_what_its_api_takes(enforcing, findings):
    exports = json.loads(exported(enforcing, "asff"))
    assert len(exports) >= len(findings) > 10
    shape = enforcing.client("securityhub").meta.service_model.operation_model("BatchImportFindings").input_shape
    for batch in (exports[n : n + 100] for n in range(0, len(exports), 100)):
        report = ParamValidator().validate({"Findings": batch}, shape)
        assert not report.has_errors(), report.generate_report()
    for finding in exports:
        assert len(json.dumps(finding)) < 240 * 1024 and len(finding["Title"]) <= 256 and len(finding["Description"]) <= 1024


def test_events_of_ocsf_are_compliance_findings_of_its_schema(enforcing, findings):
    events = [json.loads(line) for line in exported(enforcing, "ocsf").splitlines()]
    assert len(events) >= len(findings) > 10
    for event in events:
        read = ComplianceFinding.model_validate(event)
        assert (read.class_uid, read.category_uid, read.type_uid) == (2003, 2, 200300 + read.activity_id)


def test_sarif_is_valid_by_the_schema_of_its_standard(enforcing, findings):
    schema = json.loads((ROOT / "tests/e2e/sarif-2.1.0.schema.json").read_text())
    sarif = json.loads(exported(enforcing, "sarif"))
    jsonschema.validators.validator_for(schema)(schema).validate(sarif)
    assert len(sarif["runs"][0]["results"]) >= len(findings) > 10
