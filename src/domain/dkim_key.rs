//! RSA keys that sign mail (RFC 6376), read from PEM and made anew.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use std::sync::Arc;

use super::problem::{Problem, Result};

/// RFC 8301: signers should use at least this many bits …
const LEAST_BITS: usize = 2048;
/// … and verifiers need not read keys with more than this many.
const MOST_BITS: usize = 4096;
/// The characters in a line of PEM (RFC 7468).
const PEM_LINE: usize = 64;

/// The sizes of a new key, in bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DkimBits {
    /// What nearly everybody uses: its record fits into one DNS answer, and it signs fastest.
    Rsa2048,
    /// Signs at about a third of that rate.
    Rsa3072,
    /// Signs at less than a fifth; some name servers take no record of that length.
    Rsa4096,
}

/// A private key; neither `Debug` nor an error shows it.
#[derive(Clone)]
pub struct DkimKey(Arc<KeyPair>);

impl fmt::Debug for DkimKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DkimKey(***)")
    }
}

impl DkimKey {
    /// Makes a new key; the crypto library takes its randomness from the operating system.
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    pub fn generate(bits: DkimBits) -> Result<Self> {
        let size = match bits {
            DkimBits::Rsa2048 => KeySize::Rsa2048,
            DkimBits::Rsa3072 => KeySize::Rsa3072,
            DkimBits::Rsa4096 => KeySize::Rsa4096,
        };
        KeyPair::generate(size)
            .map(Self::of)
            .map_err(|_| Problem::failed("no key could be made"))
    }

    /// Reads the first private key of a PEM file: PKCS#8 (`PRIVATE KEY`) or PKCS#1 (`RSA PRIVATE KEY`).
    ///
    /// # Errors
    /// When there is none, or it is encrypted, no RSA key, too small (RFC 8301) or too large.
    pub fn from_pem(text: &str) -> Result<Self> {
        let (label, der) = first_key(text)?;
        let pair = match label {
            "RSA PRIVATE KEY" => KeyPair::from_der(&der),
            _ => KeyPair::from_pkcs8(&der),
        };
        let pair = pair.map_err(|rejected| match rejected.to_string().as_str() {
            "TooSmall" => wrong_size("fewer than 2048 bits, which mail services do not trust (RFC 8301)"),
            "TooLarge" => wrong_size("more than 4096 bits, which verifiers need not read (RFC 8301)"),
            _ => Problem::configuration("it holds no RSA key that can be read")
                .hint("make one with `postrider dkim generate`, or `openssl genrsa 2048`"),
        })?;
        let key = Self::of(pair);
        match key.bits() {
            LEAST_BITS..=MOST_BITS => Ok(key),
            0..LEAST_BITS => Err(wrong_size(
                "fewer than 2048 bits, which mail services do not trust (RFC 8301)",
            )),
            _ => Err(wrong_size(
                "more than 4096 bits, which verifiers need not read (RFC 8301)",
            )),
        }
    }

    fn of(pair: KeyPair) -> Self {
        Self(Arc::new(pair))
    }

    /// The length of the modulus in bits.
    pub fn bits(&self) -> usize {
        self.0.public_modulus_len() * 8
    }

    /// The key as PKCS#8 in PEM, for a file that only its owner can read.
    ///
    /// # Errors
    /// When the crypto library can't encode it.
    pub fn to_pem(&self) -> Result<String> {
        let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&*self.0).map_err(|_| unencodable())?;
        let encoded = STANDARD.encode(der.as_ref());
        let mut pem = "-----BEGIN PRIVATE KEY-----\n".to_owned();
        let mut rest = encoded.as_str();
        while !rest.is_empty() {
            let (line, more) = rest.split_at(rest.len().min(PEM_LINE));
            pem.push_str(line);
            pem.push('\n');
            rest = more;
        }
        pem.push_str("-----END PRIVATE KEY-----\n");
        Ok(pem)
    }

    /// The public key (SubjectPublicKeyInfo) in base64: the `p=` of the DNS record.
    ///
    /// # Errors
    /// When the crypto library can't encode it.
    pub fn public_base64(&self) -> Result<String> {
        let der = AsDer::<PublicKeyX509Der<'_>>::as_der(self.0.public_key()).map_err(|_| unencodable())?;
        Ok(STANDARD.encode(der.as_ref()))
    }

    /// The signature of `data` (RSASSA-PKCS1-v1_5 with SHA-256). A good quarter of a millisecond with 2048 bits.
    ///
    /// # Errors
    /// When the crypto library fails.
    pub fn sign(&self, data: &[u8]) -> Result<Vec<u8>> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        // This padding takes no randomness; the library asks for a source and leaves it alone.
        self.0
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::default(), data, &mut signature)
            .map_err(|_| Problem::failed("a message could not be signed"))?;
        Ok(signature)
    }
}

fn unencodable() -> Problem {
    Problem::failed("the key can't be written in the form that files and the DNS need")
}

fn wrong_size(what: &str) -> Problem {
    Problem::configuration(format!("its key has {what}"))
        .hint("make a new one with `postrider dkim generate`, and publish its record")
}

/// The label and the bytes of the first private key.
fn first_key(text: &str) -> Result<(&str, Vec<u8>)> {
    let none = || {
        Problem::configuration("it holds no private key in PEM form")
            .hint("it must have a line -----BEGIN PRIVATE KEY-----; `postrider dkim generate` makes one")
    };
    for (start, _) in text.match_indices("-----BEGIN ") {
        let head = text.get(start + 11..).unwrap_or_default();
        let Some((label, rest)) = head.split_once("-----") else {
            continue;
        };
        if !label.ends_with("PRIVATE KEY") {
            continue;
        }
        let body = rest.split("-----END ").next().unwrap_or_default();
        if label == "ENCRYPTED PRIVATE KEY" || body.contains("ENCRYPTED") {
            return Err(Problem::configuration("its key is encrypted").hint(
                "take the passphrase away with `openssl pkey -in OLD -out NEW`, and chmod 600 the file",
            ));
        }
        let encoded: String = body.split_whitespace().collect();
        // The text is secret: the decoder's error, which quotes a character of it, is not shown.
        let der = STANDARD.decode(encoded).map_err(|_| none())?;
        return Ok((label, der));
    }
    Err(none())
}
