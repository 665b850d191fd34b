//! The fingerprint files, alphabetical. Tests compare the lists with their folders.

/// Distributions: `fingerprints/<name>.yaml`.
pub(super) const FILES: &[(&str, &str)] = &[
    ("canonical-k8s", include_str!("../../fingerprints/canonical-k8s.yaml")),
    ("cluster-api", include_str!("../../fingerprints/cluster-api.yaml")),
    ("eks", include_str!("../../fingerprints/eks.yaml")),
    ("eks-anywhere", include_str!("../../fingerprints/eks-anywhere.yaml")),
    ("eks-auto-mode", include_str!("../../fingerprints/eks-auto-mode.yaml")),
    ("eks-fargate", include_str!("../../fingerprints/eks-fargate.yaml")),
    ("eksctl", include_str!("../../fingerprints/eksctl.yaml")),
    ("gardener", include_str!("../../fingerprints/gardener.yaml")),
    ("giant-swarm", include_str!("../../fingerprints/giant-swarm.yaml")),
    ("k0s", include_str!("../../fingerprints/k0s.yaml")),
    ("k3s", include_str!("../../fingerprints/k3s.yaml")),
    ("karpenter", include_str!("../../fingerprints/karpenter.yaml")),
    ("kops", include_str!("../../fingerprints/kops.yaml")),
    ("kube-aws", include_str!("../../fingerprints/kube-aws.yaml")),
    ("kubeadm", include_str!("../../fingerprints/kubeadm.yaml")),
    ("kubeone", include_str!("../../fingerprints/kubeone.yaml")),
    ("kubernetes", include_str!("../../fingerprints/kubernetes.yaml")),
    ("kubespray", include_str!("../../fingerprints/kubespray.yaml")),
    ("local-vm", include_str!("../../fingerprints/local-vm.yaml")),
    ("lokomotive", include_str!("../../fingerprints/lokomotive.yaml")),
    ("microk8s", include_str!("../../fingerprints/microk8s.yaml")),
    ("mke", include_str!("../../fingerprints/mke.yaml")),
    ("openshift", include_str!("../../fingerprints/openshift.yaml")),
    ("openshift-3", include_str!("../../fingerprints/openshift-3.yaml")),
    ("pharos", include_str!("../../fingerprints/pharos.yaml")),
    ("rancher", include_str!("../../fingerprints/rancher.yaml")),
    ("rke", include_str!("../../fingerprints/rke.yaml")),
    ("rke2", include_str!("../../fingerprints/rke2.yaml")),
    ("rosa", include_str!("../../fingerprints/rosa.yaml")),
    ("talos", include_str!("../../fingerprints/talos.yaml")),
    ("tectonic", include_str!("../../fingerprints/tectonic.yaml")),
    ("typhoon", include_str!("../../fingerprints/typhoon.yaml")),
];

/// What looks like Kubernetes and is not: `decoys/<name>.yaml`.
pub(super) const DECOYS: &[(&str, &str)] = &[
    ("bastion", include_str!("../../decoys/bastion.yaml")),
    ("ci", include_str!("../../decoys/ci.yaml")),
    ("docker-machine", include_str!("../../decoys/docker-machine.yaml")),
    ("docker-swarm", include_str!("../../decoys/docker-swarm.yaml")),
    ("ecs", include_str!("../../decoys/ecs.yaml")),
    ("jenkins", include_str!("../../decoys/jenkins.yaml")),
    ("nomad", include_str!("../../decoys/nomad.yaml")),
    ("patroni", include_str!("../../decoys/patroni.yaml")),
    ("rancher-1", include_str!("../../decoys/rancher-1.yaml")),
    ("sap", include_str!("../../decoys/sap.yaml")),
    ("vault", include_str!("../../decoys/vault.yaml")),
];

#[cfg(test)]
mod tests {
    use super::super::catalogue::parse;
    use super::*;

    fn names_in(folder: &str) -> Vec<String> {
        let folder = std::fs::read_dir(format!("{}/{folder}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let name =
            |f: std::io::Result<std::fs::DirEntry>| f.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned();
        let mut names: Vec<_> = folder.map(name).collect();
        names.sort();
        names
    }

    #[test]
    fn every_file_is_listed_in_order_and_named_as_what_it_tells_of() {
        let listed = |files: &[(&str, &str)]| files.iter().map(|(n, _)| (*n).to_owned()).collect::<Vec<_>>();
        assert_eq!(listed(FILES), names_in("fingerprints"));
        assert_eq!(listed(DECOYS), names_in("decoys"));
        let (distributions, decoys) = parse().unwrap();
        assert!(distributions.iter().zip(FILES).all(|(d, (name, _))| d.distribution == *name && !d.says.is_empty()));
        assert!(decoys.iter().zip(DECOYS).all(|(d, (name, _))| d.decoy == *name && !d.says.is_empty()));
    }
}
