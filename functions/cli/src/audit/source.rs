//! Where the chain is read: the deployment's bucket, or a folder that was copied from it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use futures::{StreamExt as _, TryStreamExt as _};
use picket_aws::Vault;
use picket_model::{AccountId, Scope};
use picket_pipeline::ports::Answer;
use picket_report::audit::{Problem, Segment, Wrong, chain};

use crate::failure::Failure;
use crate::session::Aws;

/// How many segments are read at once.
const AT_ONCE: usize = 16;
/// How deep a folder is looked through; a copy of the bucket is three deep.
const DEEPEST: usize = 8;

/// The deployment's bucket with the chain.
pub async fn vault(aws: &Aws, account: &AccountId) -> Answer<Vault> {
    let bucket = aws.functions().variable("audit", "PICKET_AUDIT_BUCKET").await?;
    Ok(Vault::new(&aws.clients, &bucket, account))
}

/// Where the chain of `scope` lies.
pub fn prefix(scope: &Scope) -> String {
    chain::prefix(scope.account.as_str(), scope.region.as_str())
}

/// Every segment below a prefix.
pub async fn segments(vault: &Vault, prefix: &str) -> Answer<Vec<Segment>> {
    let keys = vault.keys(prefix, None).await?;
    let read = |name: String| async move { Ok(Segment { body: vault.read(&name).await?, name }) };
    futures::stream::iter(keys.into_iter().map(read)).buffered(AT_ONCE).try_collect().await
}

/// What was written over or deleted, which the bucket's versions tell.
pub async fn overwritten(vault: &Vault, prefix: &str) -> Answer<Vec<Problem>> {
    let told = |o: picket_aws::vault::Overwritten| {
        let (is, done) = if o.deleted { (Wrong::Missing, "deleted") } else { (Wrong::Changed, "written over") };
        let says = format!("the object was {done}; the version before is still in the bucket");
        Problem { segment: Some(o.key), ..Problem::new(is, says) }
    };
    Ok(vault.overwritten(prefix).await?.into_iter().map(told).collect())
}

/// The chains in a folder: the files of each folder below it that holds segments.
pub fn folder(folder: &Path) -> Result<BTreeMap<String, Vec<Segment>>, Failure> {
    let mut files = Vec::new();
    walk(folder, DEEPEST, &mut files)?;
    let mut chains = BTreeMap::<String, Vec<Segment>>::new();
    for file in files {
        let place = file.parent().unwrap_or(folder).display().to_string();
        let body = std::fs::read(&file).map_err(|e| unreadable(&file, e))?;
        chains.entry(place).or_default().push(Segment { name: file.display().to_string(), body });
    }
    // Beside segments, something else is foreign; without any, the folder is the wrong one.
    chains.retain(|_, files| files.iter().any(|f| chain::sequence_of(&f.name).is_some()));
    if chains.is_empty() {
        let what = format!("there is no segment of an audit chain (`000000000001.jsonl`) in {}", folder.display());
        return Err(Failure::usage(what).hint("copy it first: `aws s3 sync s3://BUCKET/audit DIR`"));
    }
    Ok(chains)
}

fn walk(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    for entry in std::fs::read_dir(folder).map_err(|e| unreadable(folder, e))? {
        let entry = entry.map_err(|e| unreadable(folder, e))?;
        let path = entry.path();
        // A link is not followed: it could lead round.
        if entry.file_type().is_ok_and(|t| t.is_dir()) && depth > 0 {
            walk(&path, depth - 1, files)?;
        } else if path.extension().is_some_and(|e| e == "jsonl") {
            files.push(path);
        }
    }
    Ok(())
}

fn unreadable(path: &Path, error: std::io::Error) -> Failure {
    Failure::usage(format!("reading {}", path.display())).because(error).hint("name a folder that you may read")
}
