//! The only crate that speaks to a Kubernetes API: EKS tokens, kubeconfigs, reads and permitted changes.
