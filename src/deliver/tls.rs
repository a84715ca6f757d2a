//! TLS to a relay: rustls on aws-lc-rs, chosen by name so that no process-wide default is needed.

use std::path::Path;
use std::sync::Arc;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use crate::domain::relay::{SmtpAddress, Tls};
use crate::domain::{Problem, Result};

/// How to do TLS with this relay; none when it is never done.
///
/// # Errors
/// When the `ca` file cannot be read or holds no certificate, or the host has no name that a
/// certificate can carry.
pub(super) fn connector(address: &SmtpAddress) -> Result<Option<TlsConnector>> {
    if address.tls == Tls::None {
        return Ok(None);
    }
    server_name(&address.host)?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| Problem::failed("TLS cannot be set up").because(error))?;
    let config = if address.tls == Tls::Opportunistic {
        builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
            .with_no_client_auth()
    } else {
        builder
            .with_root_certificates(roots(address.ca.as_deref())?)
            .with_no_client_auth()
    };
    Ok(Some(TlsConnector::from(Arc::new(config))))
}

/// The name that the relay's certificate must carry.
///
/// # Errors
/// When `host` is neither a DNS name nor an IP address.
pub(super) fn server_name(host: &str) -> Result<ServerName<'static>> {
    ServerName::try_from(host.to_owned()).map_err(|_| {
        Problem::configuration(format!(
            "relay host {host:?} is no name that a certificate can carry"
        ))
        .hint("write the DNS name of the relay")
    })
}

/// The system's authorities and those of `ca`.
fn roots(ca: Option<&Path>) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(file) = ca {
        let place = format!("ca={}", file.display());
        let wrong = |what: &str| {
            Problem::configuration(format!("{place}: {what}"))
                .hint("name a PEM file with the certificate of the authority")
        };
        let certificates = CertificateDer::pem_file_iter(file)
            .and_then(Iterator::collect::<std::result::Result<Vec<_>, _>>)
            .map_err(|error| wrong("cannot be read").because(error))?;
        if certificates.is_empty() {
            return Err(wrong("holds no certificate"));
        }
        for certificate in certificates {
            roots
                .add(certificate)
                .map_err(|error| wrong("holds a bad certificate").because(error))?;
        }
    }
    Ok(roots)
}

/// `tls=opportunistic` keeps listeners out, not impostors: no certificate is refused.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> std::result::Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
