//! Collectors over the real wire protocol: the SDK speaks to a server on loopback that answers as AWS does.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region as SdkRegion, SdkConfig};
use aws_sdk_ec2::config::{Credentials, SharedCredentialsProvider};
use picket_checks::rules::{Evidence, catalogue, judge_all};
use picket_model::{AccountId, Document, Fact, Outcome, Region};
use serde_json::json;

use super::COLLECTORS;
use crate::account::{self, Wanted};
use crate::collector::Reach;
use crate::session::{Place, Session};

/// What the server sees of a request.
struct Request {
    service: String,
    target: String,
    path: String,
    body: String,
}

impl Request {
    /// The operation: of a query, of a JSON protocol, or the path.
    fn call(&self) -> String {
        let query = self.body.split('&').find_map(|p| p.strip_prefix("Action="));
        let target = self.target.rsplit('.').next().filter(|t| !t.is_empty());
        query.or(target).unwrap_or(&self.path).to_owned()
    }
}

type Answer = (u16, String);

/// `{"__type": "AccessDeniedException", "message": "no"}`, as CloudWatch has it.
const DENIED_IN_CBOR: &[u8] = b"\xa2\x66__type\x75AccessDeniedException\x67message\x62no";

/// Serves on loopback until the test ends, and gives the address.
fn serve(answer: fn(&Request) -> Answer) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || handle(stream, answer));
        }
    });
    address
}

fn handle(stream: TcpStream, answer: fn(&Request) -> Answer) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|l| l.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let agent = headers.get("x-amz-user-agent").or(headers.get("user-agent")).cloned().unwrap_or_default();
    let service = agent.split("api/").nth(1).and_then(|a| a.split(['/', ' ', '#']).next()).unwrap_or_default();
    let request = Request {
        service: service.to_owned(),
        target: headers.get("x-amz-target").cloned().unwrap_or_default(),
        path,
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    let (status, text) = answer(&request);
    let (kind, body) = match (status, request.service.as_str()) {
        (400.., "cloudwatch") => ("smithy-protocol: rpc-v2-cbor\r\n", DENIED_IN_CBOR.to_vec()),
        (400.., _) => ("x-amzn-errortype: AccessDeniedException\r\n", text.into_bytes()),
        _ => ("", text.into_bytes()),
    };
    let head = format!("HTTP/1.1 {status} X\r\n{kind}content-length: {}\r\nconnection: close\r\n\r\n", body.len());
    let mut stream = stream;
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(&body).ok()
}

fn session(address: &str, reach: Reach) -> Session {
    let keys = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(SdkRegion::new("eu-west-1"))
        .endpoint_url(address)
        .credentials_provider(SharedCredentialsProvider::new(keys))
        .retry_config(RetryConfig::disabled())
        .build();
    let region = (reach == Reach::Region).then(|| Region::parse("eu-west-1").unwrap());
    let place = Place { account: AccountId::parse("111122223333").unwrap(), region };
    Session::new(place, "2026-01-31T00:00:00Z".parse().unwrap(), config)
}

async fn collect(kind: &str, answer: fn(&Request) -> Answer) -> Vec<Document> {
    let collector = COLLECTORS.iter().find(|c| c.kinds().contains(&kind)).unwrap();
    let documents = collector.collect(&session(&serve(answer), collector.reach())).await;
    documents.iter().for_each(fits_its_kind);
    documents
}

/// Whether the facts have the fields and types that rules are checked against.
fn fits_its_kind(document: &Document) {
    let kind = catalogue::kinds().unwrap().get(&document.kind);
    let kind = kind.unwrap_or_else(|| panic!("{} has no file", document.kind));
    if let Fact::Known { value, .. } = &document.facts {
        kind.fields.check(value, "").unwrap_or_else(|why| panic!("{}: {why}", document.asset()));
    }
}

fn facts<'d>(documents: &'d [Document], asset: &str) -> &'d serde_json::Value {
    let found = documents.iter().find(|d| d.asset() == asset);
    found.unwrap_or_else(|| panic!("{asset} is not among {documents:#?}")).facts.value().unwrap()
}

fn denied(request: &Request) -> Answer {
    let xml = ["s3", "s3control", "cloudfront", "route-53", "route53"].contains(&request.service.as_str());
    let error = "<Error><Code>AccessDenied</Code><Message>no</Message></Error>";
    let body = match request.service.as_str() {
        "ec2" => "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors></Response>".to_owned(),
        "s3" => error.to_owned(),
        _ if xml || request.body.contains("Action=") => format!("<ErrorResponse>{error}</ErrorResponse>"),
        _ => json!({"__type": "AccessDeniedException", "message": "no"}).to_string(),
    };
    (403, body)
}

#[tokio::test]
async fn a_role_that_may_read_nothing_gets_every_kind_told_with_the_permission_that_is_missing() {
    let address = serve(denied);
    let mut untold = Vec::new();
    for collector in COLLECTORS {
        let documents = collector.collect(&session(&address, collector.reach())).await;
        documents.iter().for_each(fits_its_kind);
        for kind in collector.kinds() {
            let of_kind: Vec<_> =
                documents.iter().filter(|d| d.kind == *kind).map(|d| format!("{:?}", d.facts)).collect();
            // The account's own host name of S3 Control does not exist on loopback.
            let told = of_kind.iter().any(|f| f.contains("was denied; grant it") || *kind == "s3.account");
            if !told {
                untold.push(format!("{kind}: {of_kind:?}"));
            }
        }
    }
    assert!(untold.is_empty(), "{}", untold.join("\n"));
}

#[test]
fn every_kind_that_is_made_is_described_and_every_permission_is_an_action_that_reads() {
    for collector in COLLECTORS {
        for kind in collector.kinds() {
            assert!(catalogue::kinds().unwrap().get(kind).is_some(), "{kind}");
        }
        for permission in collector.permissions() {
            let action = permission.split(':').nth(1).unwrap();
            let reads = ["Describe", "Get", "List", "View", "GenerateCredentialReport"];
            assert!(reads.iter().any(|r| action.starts_with(r)), "{permission}");
        }
    }
}

fn one_cluster(request: &Request) -> Answer {
    let body = match request.path.split('?').next().unwrap() {
        "/clusters" if !request.path.contains("nextToken") => json!({"clusters": ["prod"], "nextToken": "more"}),
        "/clusters" => json!({"clusters": ["gone"]}),
        "/clusters/prod" => json!({"cluster": {
            "name": "prod", "status": "ACTIVE", "version": "1.34",
            "logging": {"clusterLogging": [{"types": ["audit", "api"], "enabled": true}, {"types": ["scheduler"], "enabled": false}]},
            "resourcesVpcConfig": {"endpointPublicAccess": true, "endpointPrivateAccess": false,
                "publicAccessCidrs": ["0.0.0.0/1", "128.0.0.0/1"], "vpcId": "vpc-1"},
            "encryptionConfig": [{"resources": ["secrets"], "provider": {"keyArn": "arn:aws:kms:eu-west-1:111122223333:key/k"}}],
            "accessConfig": {"authenticationMode": "API"}, "tags": {"owner": "a"}}}),
        "/cluster-versions" => {
            json!({"clusterVersions": [{"clusterVersion": "1.34", "versionStatus": "STANDARD_SUPPORT"}]})
        }
        "/clusters/prod/node-groups" => json!({"nodegroups": ["a"]}),
        "/clusters/prod/node-groups/a" => json!({"nodegroup": {"clusterName": "prod", "nodegroupName": "a",
            "nodeRole": "arn:aws:iam::111122223333:role/n", "remoteAccess": {"ec2SshKey": "k"}, "version": "1.34"}}),
        "/clusters/prod/addons" => json!({"addons": ["vpc-cni"]}),
        "/clusters/prod/addons/vpc-cni" => json!({"addon": {"addonName": "vpc-cni", "clusterName": "prod",
            "addonVersion": "v1.18.3-eksbuild.1", "configurationValues": "{\"enableNetworkPolicy\":\"true\"}"}}),
        path if path.starts_with("/clusters/gone") => return denied(request),
        _ => json!({}),
    };
    (200, body.to_string())
}

#[tokio::test]
async fn clusters_of_all_pages_are_read_and_one_that_is_denied_costs_the_others_nothing() {
    let documents = collect("eks.cluster", one_cluster).await;
    let prod = facts(&documents, "eks.cluster/prod");
    assert_eq!(prod["logging"], json!({"types": ["audit", "api"]}), "what is off is not on");
    assert_eq!(prod["endpoint"]["open_to_the_world"], true);
    assert_eq!(
        (&prod["version_status"], &prod["access_config"]["authentication_mode"]),
        (&"standard_support".into(), &"API".into())
    );
    assert_eq!(facts(&documents, "eks.nodegroup/prod/a")["ssh_from_anywhere"], true);
    assert_eq!(facts(&documents, "eks.addon/prod/vpc-cni")["enable_network_policy"], true);
    let gone = documents.iter().find(|d| d.asset() == "eks.cluster/gone").unwrap();
    assert!(matches!(&gone.facts, Fact::Unknown { reason } if reason.starts_with("eks:DescribeCluster was denied")));
}

fn two_groups(request: &Request) -> Answer {
    let rules = r#"<item><ipProtocol>tcp</ipProtocol><fromPort>22</fromPort><toPort>22</toPort><groups/>
        <ipRanges><item><cidrIp>203.0.113.0/24</cidrIp></item></ipRanges><ipv6Ranges><item><cidrIpv6>::/0</cidrIpv6></item></ipv6Ranges>
        <prefixListIds><item><prefixListId>pl-1</prefixListId></item></prefixListIds></item>"#;
    let body = match request.call().as_str() {
        "DescribeSecurityGroups" => format!(
            "<DescribeSecurityGroupsResponse><securityGroupInfo><item><groupId>sg-1</groupId><groupName>web</groupName><vpcId>vpc-1</vpcId>\
             <ipPermissions>{rules}</ipPermissions><ipPermissionsEgress/></item></securityGroupInfo></DescribeSecurityGroupsResponse>"
        ),
        "GetManagedPrefixListEntries" => {
            "<GetManagedPrefixListEntriesResponse><entrySet><item><cidr>0.0.0.0/0</cidr></item></entrySet>\
             </GetManagedPrefixListEntriesResponse>"
                .to_owned()
        }
        "DescribeVolumes" => return denied(request),
        other => format!("<{other}Response/>"),
    };
    (200, body)
}

#[tokio::test]
async fn a_group_is_read_with_its_prefix_lists_and_a_denied_call_beside_it_is_told() {
    let documents = collect("ec2.security_group", two_groups).await;
    let ingress = facts(&documents, "ec2.security_group/sg-1")["ingress"].as_array().unwrap().clone();
    let world: Vec<_> = ingress.iter().filter(|r| r["world"] == true).map(|r| r["cidr"].as_str().unwrap()).collect();
    assert_eq!(world, ["::/0", "0.0.0.0/0"]);
    let volumes: Vec<_> = documents.iter().filter(|d| d.kind == "ec2.volume").collect();
    assert_eq!((volumes.len(), volumes[0].id.as_str()), (1, "*"));
    assert!(!documents.iter().any(|d| d.kind == "ec2.subnet"), "nothing there is nothing said");
}

fn one_role(request: &Request) -> Answer {
    let trust = "%7B%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22AWS%22%3A%22*%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%5D%7D";
    let all =
        "%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22*%22%2C%22Resource%22%3A%22*%22%7D%7D";
    let call = request.call();
    let inner = match call.as_str() {
        "GetAccountAuthorizationDetails" => format!(
            "<RoleDetailList><member><RoleName>r</RoleName><Arn>arn:aws:iam::111122223333:role/r</Arn><Path>/</Path>\
             <AssumeRolePolicyDocument>{trust}</AssumeRolePolicyDocument><AttachedManagedPolicies><member>\
             <PolicyName>AdministratorAccess</PolicyName><PolicyArn>arn:aws:iam::aws:policy/AdministratorAccess</PolicyArn></member>\
             </AttachedManagedPolicies></member></RoleDetailList><Policies><member><PolicyName>AdministratorAccess</PolicyName>\
             <Arn>arn:aws:iam::aws:policy/AdministratorAccess</Arn><AttachmentCount>1</AttachmentCount><PolicyVersionList><member>\
             <Document>{all}</Document><VersionId>v1</VersionId><IsDefaultVersion>true</IsDefaultVersion></member></PolicyVersionList>\
             </member></Policies><IsTruncated>false</IsTruncated>"
        ),
        "GetAccountSummary" => "<SummaryMap><entry><key>AccountAccessKeysPresent</key><value>1</value></entry>\
             <entry><key>AccountMFAEnabled</key><value>0</value></entry></SummaryMap>"
            .to_owned(),
        "GenerateCredentialReport" => "<State>COMPLETE</State>".to_owned(),
        "GetCredentialReport" => {
            "<Content>dXNlcixhcm4scGFzc3dvcmRfZW5hYmxlZAo8cm9vdF9hY2NvdW50PixhLG5vdF9zdXBwb3J0ZWQK</Content>".to_owned()
        }
        "ListVirtualMFADevices" => "<IsTruncated>false</IsTruncated><VirtualMFADevices/>".to_owned(),
        _ => return denied(request),
    };
    (200, format!("<{call}Response><{call}Result>{inner}</{call}Result></{call}Response>"))
}

#[tokio::test]
async fn roles_are_read_with_what_their_policies_come_to() {
    let documents = collect("iam.role", one_role).await;
    let role = facts(&documents, "iam.role/r");
    assert_eq!((&role["administrator"], &role["trusts_anybody"]), (&true.into(), &true.into()));
    assert!(role["powers"].as_array().unwrap().contains(&"iam:PassRole".into()));
    let root = facts(&documents, "iam.root/111122223333");
    assert_eq!((&root["account_access_keys_present"], &root["account_mfa_enabled"]), (&1.into(), &0.into()));
    assert_eq!((&root["never_used"], &root["virtual_mfa"]), (&true.into(), &false.into()));
}

#[tokio::test]
async fn a_misconfigured_cluster_fails_exactly_the_rules_that_it_should_and_what_is_denied_is_unknown() {
    let address = serve(one_cluster_alone);
    let (account, regions) = (AccountId::parse("111122223333").unwrap(), [Region::parse("eu-west-1").unwrap()]);
    let settings = super::settings::Settings::default();
    let at = "2026-01-31T00:00:00Z".parse().unwrap();
    let wanted = Wanted { account: &account, regions: &regions, kinds: None, settings: &settings, at };
    let read = account::read(&wanted, COLLECTORS, |_| session(&address, Reach::Region).config().clone()).await;
    read.documents.iter().for_each(fits_its_kind);
    let mut evidence = Evidence::default();
    for (kind, region) in &read.complete {
        evidence.complete(kind, &account, region.as_ref());
    }
    evidence.add(read.documents);
    let judged = judge_all(catalogue::built_in().unwrap().iter(), &evidence);
    let of_prod = judged.iter().filter(|j| j.document.asset() == "eks.cluster/prod").map(|j| j.evaluation());
    let (mut failed, mut unknown) = (Vec::new(), Vec::new());
    for evaluation in of_prod {
        match evaluation.outcome {
            Outcome::Fail => failed.push(evaluation.rule),
            Outcome::Unknown(_) => unknown.push(evaluation.rule),
            _ => {}
        }
    }
    let expected = [
        "eks_all_logs_on",
        "eks_deletion_protected",
        "eks_endpoint_closed",
        "eks_endpoint_not_public",
        "eks_endpoint_private",
        "eks_endpoint_restricted",
    ];
    assert_eq!(failed, expected);
    for rule in ["eks_audit_logs_kept", "eks_load_balancers_tls", "eks_nodes_not_public", "eks_secrets_encrypted"] {
        assert!(unknown.contains(&rule.to_owned()), "{rule} is not among {unknown:?}");
    }
}

/// EKS answers; everything else is denied.
fn one_cluster_alone(request: &Request) -> Answer {
    if request.service == "eks" { one_cluster(request) } else { denied(request) }
}
