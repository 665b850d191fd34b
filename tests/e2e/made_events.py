"""Events in the shapes in which AWS delivers them, for those that the local cloud does not send by itself."""

from __future__ import annotations

import time
from typing import Any


def api_call(record: dict) -> dict:
    """A CloudTrail record, as EventBridge delivers it."""
    source = record["eventSource"].removesuffix(".amazonaws.com")
    return {"source": f"aws.{source}", "detail-type": "AWS API Call via CloudTrail", "detail": record}


def mining_finding(account: str, region: str, instance: str, groups: list[str], **more: Any) -> dict:
    """GuardDuty's finding that an instance asks for the name of a mining pool."""
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
    interface = {
        "networkInterfaceId": "eni-0123456789abcdef0",
        "securityGroups": [{"groupName": "x", "groupId": group} for group in groups],
        "privateIpAddress": "10.0.0.5",
        "ipv6Addresses": [],
    }
    action = {
        "actionType": "DNS_REQUEST",
        "dnsRequestAction": {"domain": "pool.supportxmr.com", "protocol": "UDP", "blocked": False},
    }
    detail = {
        "schemaVersion": "2.0",
        "accountId": account,
        "region": region,
        "partition": "aws",
        "id": "b2c0f1d4e5a697887766554433221100",
        "arn": f"arn:aws:guardduty:{region}:{account}:detector/a1/finding/b2c0f1d4e5a697887766554433221100",
        "type": "CryptoCurrency:EC2/BitcoinTool.B!DNS",
        "resource": {
            "resourceType": "Instance",
            "instanceDetails": {
                "instanceId": instance,
                "instanceType": "g5.48xlarge",
                "instanceState": "running",
                "availabilityZone": f"{region}a",
                "imageId": "ami-12345678",
                "tags": [],
                "networkInterfaces": [interface],
            },
        },
        "service": {
            "serviceName": "guardduty",
            "detectorId": "a1",
            "action": action,
            "resourceRole": "ACTOR",
            "eventFirstSeen": now,
            "eventLastSeen": now,
            "archived": False,
            "count": 1,
            "additionalInfo": {"threatListName": "ProofPoint", "value": "{}", "type": "default"},
        },
        "severity": 8.0,
        "createdAt": now,
        "updatedAt": now,
        "title": f"Bitcoin-related domain name queried by EC2 instance {instance}.",
        "description": f"EC2 instance {instance} is querying a domain name that is associated with Bitcoin.",
        **more,
    }
    return {"source": "aws.guardduty", "detail-type": "GuardDuty Finding", "detail": detail}


def envelope(event: dict, account: str, region: str) -> dict:
    """What EventBridge puts around an event on its way into a queue."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    around = {"version": "0", "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718", "account": account, "region": region}
    return {**around, "time": now, "resources": [], **event}
