//! Asks machines what they are: connects, reads the names in the certificate, and gets a few public paths, without
//! credentials. It only connects and reads: nothing is sent but `GET`, no certificate is shown, no answer is followed.
//! What answers mean is the fingerprints'; which machines may be asked is the policy's.

mod http;
mod names;
#[cfg(test)]
mod server_tests;
mod tls;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures::{StreamExt as _, stream};
pub use ipnet::IpNet as Network;
use picket_model::Untrusted;
use picket_model::landscape::Probe;
use picket_pipeline::scan::{Answers, Asked};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How many connections are open at once.
const AT_ONCE: usize = 128;
/// How long a connection may take to be made.
const CONNECTS_WITHIN: Duration = Duration::from_millis(1500);
/// How long an answer may take.
const ANSWERS_WITHIN: Duration = Duration::from_secs(3);
/// How long all of it may take.
const WHOLE_WITHIN: Duration = Duration::from_secs(45);

/// What a port speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speaks {
    /// HTTP over TLS.
    Tls,
    /// HTTP.
    Plain,
    /// TLS, or HTTP where there is none.
    Either,
}

/// What is asked of a port.
struct Ask {
    port: u16,
    speaks: Speaks,
    /// What is got; where there is nothing, the certificate alone is read.
    paths: &'static [&'static str],
}

/// All that is ever asked. A port that is not here is not connected to, whoever asks for it.
#[rustfmt::skip]
const ASKS: &[Ask] = &[
    Ask { port: 443, speaks: Speaks::Tls, paths: &["/version", "/healthz"] },
    Ask { port: 2379, speaks: Speaks::Either, paths: &["/version"] },
    Ask { port: 6443, speaks: Speaks::Tls, paths: &["/version", "/healthz"] },
    Ask { port: 8443, speaks: Speaks::Tls, paths: &["/version", "/healthz"] },
    Ask { port: 9345, speaks: Speaks::Tls, paths: &["/ping"] },
    Ask { port: 10250, speaks: Speaks::Tls, paths: &["/healthz"] },
    Ask { port: 10255, speaks: Speaks::Plain, paths: &["/healthz"] },
    Ask { port: 10256, speaks: Speaks::Plain, paths: &["/healthz"] },
    Ask { port: 16443, speaks: Speaks::Tls, paths: &["/version", "/healthz"] },
    Ask { port: 22623, speaks: Speaks::Tls, paths: &["/healthz"] },
    Ask { port: 50000, speaks: Speaks::Tls, paths: &[] },
];

/// Asks machines whose addresses are in one of `networks`. It always answers, with what there was time for.
pub async fn ask(asked: &[Asked], networks: &[Network]) -> Answers {
    let mut open: Vec<usize> = vec![0; asked.len()];
    let mut asks = Vec::new();
    for (n, machine) in asked.iter().enumerate() {
        let Some(address) = allowed(&machine.address, networks) else {
            open[n] = 1;
            continue;
        };
        for ask in ASKS.iter().filter(|ask| machine.ports.contains(&ask.port)) {
            open[n] += 1;
            asks.push(async move { (n, one(machine, SocketAddr::new(address, ask.port), ask).await) });
        }
    }
    let mut answers = Answers::default();
    let mut all = stream::iter(asks).buffer_unordered(AT_ONCE).take_until(Box::pin(tokio::time::sleep(WHOLE_WITHIN)));
    while let Some((n, probes)) = all.next().await {
        open[n] -= 1;
        answers.probes.extend(probes);
    }
    answers.left = open.iter().filter(|n| **n > 0).count();
    answers
}

/// The address, where it may be asked. The metadata service is never asked, whatever the networks are.
fn allowed(address: &Untrusted, networks: &[Network]) -> Option<IpAddr> {
    let address: IpAddr = address.as_str().parse().ok()?;
    let of_metadata = match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local() || v6.segments()[..3] == [0xfd00, 0xec2, 0],
    };
    (!of_metadata && networks.iter().any(|net| net.contains(&address))).then_some(address)
}

/// What one port answers; nothing where nobody listens.
async fn one(machine: &Asked, at: SocketAddr, ask: &Ask) -> Vec<Probe> {
    let mut probes = Vec::new();
    let mut names = Vec::new();
    for path in ask.paths.iter().copied().chain(ask.paths.is_empty().then_some("")) {
        let Some(answer) = once(at, ask.speaks, path).await else { break };
        names = if answer.names.is_empty() { names } else { answer.names };
        let got = answer.got.map(|got| (got.status, got.body));
        let (status, body) = got.map_or((None, Untrusted::default()), |(status, body)| (Some(status), body));
        probes.push(Probe {
            address: machine.address.clone(),
            instance: Some(machine.instance.clone()),
            port: ask.port,
            path: path.to_owned(),
            status,
            body,
            names: names.clone(),
        });
    }
    probes
}

/// What one connection gave.
struct Answer {
    names: Vec<Untrusted>,
    got: Option<http::Got>,
}

async fn once(at: SocketAddr, speaks: Speaks, path: &str) -> Option<Answer> {
    if speaks != Speaks::Plain {
        let stream = connect(at).await?;
        if let Ok(Some((mut stream, certificate))) = timeout(ANSWERS_WITHIN, tls::handshake(stream, at.ip())).await {
            let names = names::of(&certificate);
            let got = if path.is_empty() { None } else { get(&mut stream, at, path).await };
            return Some(Answer { names, got });
        }
    }
    if speaks == Speaks::Tls {
        return None;
    }
    let mut stream = connect(at).await?;
    let got = get(&mut stream, at, path).await?;
    Some(Answer { names: Vec::new(), got: Some(got) })
}

async fn connect(at: SocketAddr) -> Option<TcpStream> {
    timeout(CONNECTS_WITHIN, TcpStream::connect(at)).await.ok()?.ok()
}

async fn get(stream: &mut http::Stream<'_>, at: SocketAddr, path: &str) -> Option<http::Got> {
    timeout(ANSWERS_WITHIN, http::get(stream, at, path)).await.ok()?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_outside_of_the_networks_is_not_asked_and_the_metadata_service_never() {
        let networks: Vec<Network> = vec!["10.0.0.0/8".parse().unwrap(), "0.0.0.0/0".parse().unwrap()];
        let may = |address: &str, n: usize| allowed(&Untrusted::new(address), &networks[..n]).is_some();
        assert!(may("10.1.2.3", 1) && !may("192.0.2.1", 1) && may("192.0.2.1", 2));
        assert!(!may("169.254.169.254", 2) && !may("fd00:ec2::254", 2) && !may("machine.internal", 2));
    }

    #[test]
    fn every_port_that_a_look_names_is_one_that_is_known_here() {
        let known: Vec<u16> = ASKS.iter().map(|ask| ask.port).collect();
        assert_eq!(known, picket_pipeline::scan::PORTS);
    }
}
