"""Posture: a call is judged by the rules that it touches, findings are kept until they are seen to be mended."""

from __future__ import annotations

import pytest
from deployment import eventually

pytestmark = pytest.mark.usefixtures("whole")

RULE = "cryptojacking_kubelet_closed"


@pytest.fixture(autouse=True)
def judged(picket):
    """Calls wake the posture stage."""
    events, rule = picket.client("events"), f"{picket.stack}-posture-calls"
    events.enable_rule(Name=rule)
    yield
    events.disable_rule(Name=rule)


@pytest.fixture
def opened(picket, place):
    """A group that lets the world reach the kubelet."""
    return picket.new_group(place, 10250)


def test_a_call_that_opens_a_port_becomes_a_finding_and_closing_it_resolves_it(picket, opened):
    name = f"{RULE} ec2.security_group/{opened}"
    finding = eventually(lambda: picket.findings().get(name), "a finding of the open kubelet", 120)
    assert finding["resolved_at"] is None and finding["severity"] in ("high", "critical")
    assert finding["readings"], "a finding says what was read"
    ec2 = picket.ec2_of("platform")
    rules = ec2.describe_security_groups(GroupIds=[opened])["SecurityGroups"][0]["IpPermissions"]
    ec2.revoke_security_group_ingress(GroupId=opened, IpPermissions=rules)
    eventually(lambda: picket.findings()[name]["resolved_at"], "the finding is resolved", 120)


def test_the_schedule_judges_everything_and_keeps_what_benchmarks_come_to(picket, opened):
    picket.invoke("collect", {"account": picket.account, "detail-type": "Scheduled Event", "detail": {}})
    assert any(key.startswith(RULE) for key in picket.findings())
