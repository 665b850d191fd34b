//! EKS: clusters, node groups, add-ons, access entries, pod identities, identity providers.

mod access;
mod cluster;
mod nodes;

use aws_sdk_eks::Client;
use futures::StreamExt as _;
use picket_model::Document;

use crate::aws::tell::{AT_ONCE, Ask, Service, Tell as _, WHOLE_LIST, reason};
use crate::collector::Reach;

/// What EKS tells of its clusters.
pub static EKS: Service = Service {
    reach: Reach::Region,
    kinds: &[
        "eks.access_entry",
        "eks.addon",
        "eks.cluster",
        "eks.identity_provider_config",
        "eks.nodegroup",
        "eks.pod_identity_association",
    ],
    permissions: &[
        "eks:DescribeAccessEntry",
        "eks:DescribeAddon",
        "eks:DescribeCluster",
        "eks:DescribeClusterVersions",
        "eks:DescribeIdentityProviderConfig",
        "eks:DescribeNodegroup",
        "eks:ListAccessEntries",
        "eks:ListAddons",
        "eks:ListAssociatedAccessPolicies",
        "eks:ListClusters",
        "eks:ListIdentityProviderConfigs",
        "eks:ListNodegroups",
        "eks:ListPodIdentityAssociations",
    ],
    collect: |ask| Box::pin(collect(ask)),
};

async fn collect(ask: Ask<'_>) -> Vec<Document> {
    let client = Client::new(ask.config());
    let listed = client.list_clusters().into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    let names = match listed {
        Ok(names) => names,
        Err(error) => {
            let unread = |kind: &&str| ask.failed(kind, WHOLE_LIST, "eks:ListClusters", &error);
            return EKS.kinds.iter().map(unread).collect();
        }
    };
    if names.is_empty() {
        return Vec::new();
    }
    let versions = client.describe_cluster_versions().into_paginator().items().send();
    let versions = versions.collect::<Result<Vec<_>, _>>().await;
    let versions = cluster::Support::new(versions.map_err(|e| reason("eks:DescribeClusterVersions", &e)));
    let one = |name: String| {
        let (client, versions) = (&client, &versions);
        async move {
            let (cluster, nodes, access) = futures::join!(
                cluster::collect(ask, client, &name, versions),
                nodes::collect(ask, client, &name, versions),
                access::collect(ask, client, &name),
            );
            [cluster, nodes, access].concat()
        }
    };
    futures::stream::iter(names).map(one).buffer_unordered(AT_ONCE).collect::<Vec<_>>().await.concat()
}
