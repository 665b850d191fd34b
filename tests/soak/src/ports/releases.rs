//! The release function, started by the sweep.

use async_trait::async_trait;
use picket_pipeline::ports::{Answer, Releases};
use picket_pipeline::release::Order;

use crate::api::Api;
use crate::call::Client;
use crate::people;

#[async_trait]
impl Releases for Client {
    async fn start(&self, order: &Order) -> Answer<()> {
        let order = order.clone();
        self.call(Api::Other, format!("start release of {:?}: {:?}", order.instances, order.because), move |w, _| {
            w.count(&format!("sweep releases: {:?}", order.because));
            // Lambda tries an asynchronous invocation that fails twice more.
            people::start_release(w, order.clone(), 2);
            Ok(())
        })
        .await
    }
}
