//! A TLS handshake that believes nothing and asks for nothing: only the certificate that is shown is wanted. Nothing that
//! matters is sent over the connection, so there is nothing that a wrong certificate could put at risk.

use std::net::IpAddr;
use std::sync::{Arc, LazyLock};

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};

static CONFIG: LazyLock<Option<Arc<ClientConfig>>> = LazyLock::new(|| config().map(Arc::new));

/// Shakes hands; the connection and the server's own certificate. None where it is not TLS.
pub(super) async fn handshake(stream: TcpStream, with: IpAddr) -> Option<(TlsStream<TcpStream>, Vec<u8>)> {
    let connector = TlsConnector::from(Arc::clone(CONFIG.as_ref()?));
    let stream = connector.connect(ServerName::IpAddress(with.into()), stream).await.ok()?;
    let certificate = stream.get_ref().1.peer_certificates()?.first()?.to_vec();
    Some((stream, certificate))
}

fn config() -> Option<ClientConfig> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().ok()?;
    let believing = Arc::new(Believing);
    Some(builder.dangerous().with_custom_certificate_verifier(believing).with_no_client_auth())
}

/// Takes every certificate, since none is relied on.
#[derive(Debug)]
struct Believing;

impl ServerCertVerifier for Believing {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
