//! EKS calls: all that wake us concern one cluster, by its name.

use picket_model::{Hint, Subject, Untrusted};

use super::cloudtrail::{Look, Record};
use super::malformed::Malformed;

/// `name` is the cluster in all of them, as in the paths of the API (`/clusters/{name}/node-groups`); records of 2018
/// and some calls write `clusterName`.
pub(super) fn cluster(record: &Record<'_>) -> Result<Look, Malformed> {
    let paths = ["clusterName", "name"];
    let name = record.request().need_text_of(&paths, "the name of the EKS cluster, here or in `name`")?;
    Ok(Look::At(Subject::Cluster(Untrusted::new(name)), Hint::default()))
}

/// `DeleteCluster`: there will be nothing to describe, so the place is looked at as a whole and the cluster marked gone.
pub(super) fn deleted(record: &Record<'_>) -> Result<Look, Malformed> {
    match cluster(record)? {
        Look::At(Subject::Cluster(name), hint) => {
            let words = vec![Untrusted::new(&format!("eks-cluster {name} was deleted"))];
            Ok(Look::At(Subject::Sign { words, instances: Vec::new() }, hint))
        }
        other => Ok(other),
    }
}
