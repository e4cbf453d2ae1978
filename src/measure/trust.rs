//! Which certificates of servers are trusted: those of the system's authorities and of `SSL_CERT_FILE`, as
//! in every other tool, and also a server's own certificate where the user put that very certificate there.
//!
//! A self-signed certificate is mostly made like an authority's. The library below refuses such a
//! certificate for a server even if the user named it; curl and OpenSSL accept it. It is accepted here only
//! if it is byte for byte the one that was named, has not expired, and is for this host.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme, client::verify_server_name,
};
use rustls_platform_verifier::Verifier;
use std::sync::{Arc, OnceLock};

/// TLS settings for a client that trusts as described above.
pub fn config() -> Result<ClientConfig, String> {
    let provider = CryptoProvider::get_default()
        .cloned()
        .unwrap_or_else(|| Arc::new(rustls::crypto::ring::default_provider()));
    let inner = Verifier::new(provider.clone()).map_err(|e| e.to_string())?;
    let verifier = Arc::new(Trust { inner, named: OnceLock::new() });
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().map_err(|e| e.to_string())?;
    let mut config = builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

#[derive(Debug)]
struct Trust {
    inner: Verifier,
    /// Certificates that the user named, read when one is needed.
    named: OnceLock<Vec<CertificateDer<'static>>>,
}

impl Trust {
    fn is_named(&self, certificate: &CertificateDer<'_>) -> bool {
        let named = self.named.get_or_init(|| rustls_native_certs::load_native_certs().certs);
        named.iter().any(|known| known.as_ref() == certificate.as_ref())
    }
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let refused =
            match self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
                Ok(verified) => return Ok(verified),
                Err(refused) => refused,
            };
        // The library checks the dates before it reports one of these two errors.
        let only_its_issuer = match &refused {
            Error::InvalidCertificate(CertificateError::UnknownIssuer) => true,
            Error::InvalidCertificate(CertificateError::Other(other)) => {
                other.to_string().contains("CaUsedAsEndEntity")
            }
            _ => false,
        };
        match only_its_issuer && self.is_named(end_entity) {
            true if is_for(end_entity, server_name) => Ok(ServerCertVerified::assertion()),
            true => Err(Error::InvalidCertificate(CertificateError::NotValidForName)),
            false => Err(refused),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// Is a certificate for this host, by its alternative names, or by its common name where it has none, as
/// certificates made by hand often do?
fn is_for(certificate: &CertificateDer<'_>, host: &ServerName<'_>) -> bool {
    let Ok(parsed) = ParsedCertificate::try_from(certificate) else { return false };
    verify_server_name(&parsed, host).is_ok()
        || (!has_alternative_names(certificate)
            && common_names(certificate).any(|name| name.eq_ignore_ascii_case(&host.to_str())))
}

fn has_alternative_names(certificate: &[u8]) -> bool {
    const OID: &[u8] = &[0x06, 0x03, 0x55, 0x1d, 0x11];
    certificate.windows(OID.len()).any(|w| w == OID)
}

/// The common names in a certificate: an object identifier, then a short string. In a self-signed one the
/// issuer's name is the subject's.
fn common_names(certificate: &[u8]) -> impl Iterator<Item = &str> {
    const OID: &[u8] = &[0x06, 0x03, 0x55, 0x04, 0x03];
    certificate.windows(OID.len()).enumerate().filter(|(_, w)| *w == OID).filter_map(move |(at, _)| {
        let [kind, length, rest @ ..] = certificate.get(at + OID.len()..)? else { return None };
        // UTF8String or PrintableString, of a length that one byte holds.
        let is_text = matches!(kind, 0x0c | 0x13) && *length < 0x80;
        std::str::from_utf8(rest.get(..usize::from(*length))?).ok().filter(|_| is_text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};

    fn certificate(names: &[&str], common: &str) -> CertificateDer<'static> {
        let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("names");
        let mut name = DistinguishedName::new();
        name.push(DnType::CommonName, common);
        params.distinguished_name = name;
        let key = KeyPair::generate().expect("a key");
        params.self_signed(&key).expect("signed").der().clone()
    }

    #[test]
    fn a_certificate_is_for_the_hosts_it_names() {
        let host = |name: &'static str| ServerName::try_from(name).expect("a name");
        let named = certificate(&["gpu-box", "llm.example"], "other");
        assert!(is_for(&named, &host("gpu-box")) && is_for(&named, &host("llm.example")));
        assert!(!is_for(&named, &host("other")), "a common name beside alternative ones counts for nothing");
        let common = certificate(&[], "gpu-box");
        assert!(is_for(&common, &host("GPU-box")) && !is_for(&common, &host("elsewhere")));
    }
}
