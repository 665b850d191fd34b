//! Answers kept for the length of one assessment, so that two collectors that want the same call make it once.

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};

use futures::lock::Mutex;

type Kept = Arc<Mutex<Option<Arc<dyn Any + Send + Sync>>>>;

/// Answers by the call that gave them.
#[derive(Debug, Default)]
pub struct Memo {
    kept: StdMutex<HashMap<String, Kept>>,
}

impl Memo {
    /// The answer that was kept under `call`, or that `ask` gives; who comes meanwhile waits for it.
    pub async fn once<T, F>(&self, call: &str, ask: impl FnOnce() -> F + Send) -> T
    where
        T: Clone + Send + Sync + 'static,
        F: Future<Output = T> + Send,
    {
        let slot = {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.entry(call.to_owned()).or_default().clone()
        };
        let mut slot = slot.lock().await;
        if let Some(answer) = slot.as_ref().and_then(|a| a.downcast_ref::<T>()) {
            return answer.clone();
        }
        let answer = ask().await;
        *slot = Some(Arc::new(answer.clone()));
        answer
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn two_who_ask_at_once_cause_one_call() {
        let (memo, calls) = (Memo::default(), AtomicU32::new(0));
        let ask = || async {
            calls.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            vec!["subnet-1"]
        };
        let (one, two) = futures::join!(memo.once("ec2:DescribeSubnets", ask), memo.once("ec2:DescribeSubnets", ask));
        assert_eq!((one.len(), two.len(), calls.load(Ordering::Relaxed)), (1, 1, 1));
    }
}
