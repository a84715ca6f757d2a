//! Signing messages with DKIM (RFC 6376): `rsa-sha256`, `relaxed/relaxed`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mail_auth::common::crypto::{HashContext, HashImpl, Sha256};
use mail_auth::common::headers::{Writable, Writer as _};
use mail_auth::dkim::Canonicalization;
use memchr::memchr;
use memchr::memmem::Finder;
use std::fmt;
use std::sync::{Arc, LazyLock};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use super::dkim_field::Folded;
use crate::domain::dkim::{DkimIdentity, SignedHeaders};
use crate::domain::{Problem, Result, Timestamp};

/// How many messages are signed at a time for each processor: with fewer, processors wait for threads to be
/// woken; with more, the threads crowd out everything else.
const TURNS: usize = 4;

/// Puts signatures in front of messages: one for each key, since verifiers take any that is good.
#[derive(Clone)]
pub struct Signer(Arc<Inner>);

struct Inner {
    keys: Vec<DkimIdentity>,
    headers: SignedHeaders,
    /// For threads aside; none where every processor has a worker thread.
    turns: Option<Semaphore>,
}

impl fmt::Debug for Signer {
    /// The names of the keys alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.0.keys.iter().map(ToString::to_string).collect();
        write!(f, "Signer({})", names.join(", "))
    }
}

impl Signer {
    /// A signer with these keys that covers `headers`; none when there is no key.
    pub fn new(keys: Vec<DkimIdentity>, headers: SignedHeaders) -> Option<Self> {
        if keys.is_empty() {
            return None;
        }
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let workers = Handle::try_current().map_or(1, |handle| handle.metrics().num_workers());
        Some(Self(Arc::new(Inner {
            keys,
            headers,
            turns: (processors > workers).then(|| Semaphore::new(processors * TURNS)),
        })))
    }

    /// Signs `message`: on a thread that may be busy for long, for RSA takes a good part of a millisecond, in
    /// which an async worker keeps every other connection waiting. Where no processor is left for such threads
    /// that is so anyhow, and handing it over would only add to the work.
    ///
    /// # Errors
    /// As [`Signer::sign`].
    pub async fn sign_aside(&self, message: &mut Vec<u8>, now: Timestamp) -> Result<()> {
        let trouble =
            |error: &dyn fmt::Display| Problem::failed(format!("a message was not signed: {error}"));
        let Some(turns) = &self.0.turns else {
            return self.sign(message, now);
        };
        let _turn = turns.acquire().await.map_err(|error| trouble(&error))?;
        let (signer, mut taken) = (self.clone(), std::mem::take(message));
        let signed = tokio::task::spawn_blocking(move || signer.sign(&mut taken, now).map(|()| taken));
        *message = signed.await.map_err(|error| trouble(&error))??;
        Ok(())
    }

    /// Puts a signature of each key in front of `message`, whose lines end in CRLF.
    ///
    /// Of the header fields to sign those are covered that the message has, each as often as it has them;
    /// `From` and `List-Unsubscribe-Post` once more, so that a second one breaks the signature (RFC 6376 8.15).
    ///
    /// # Errors
    /// When the message has no body or no `From`, or the crypto library fails; `message` is then unchanged.
    pub fn sign(&self, message: &mut Vec<u8>, now: Timestamp) -> Result<()> {
        let (fields, body) = split(message)
            .ok_or_else(|| Problem::failed("a message without an empty line can't be signed"))?;
        let covered: Vec<(&str, &[u8], &[u8])> = fields
            .iter()
            .filter_map(|&(name, value)| {
                let own = self.0.headers.names().iter();
                let own = own
                    .map(String::as_str)
                    .find(|own| own.as_bytes().eq_ignore_ascii_case(name))?;
                Some((own, name, value))
            })
            .collect();
        if !covered.iter().any(|(name, ..)| name.eq_ignore_ascii_case("From")) {
            return Err(Problem::failed("a message without From can't be signed"));
        }
        // Verifiers take the fields of one name from the bottom up (RFC 6376 5.4.2).
        let names = covered.iter().rev().map(|(own, ..)| *own);
        let names: Vec<&str> = names.chain(self.0.headers.oversigned()).collect();
        let fields = covered.iter().map(|&(_, name, value)| (name, value)).collect();
        let mut data = Vec::with_capacity(2048);
        Canonicalization::Relaxed
            .canonical_headers(fields)
            .write(&mut data);
        let shared = data.len();
        let body_hash = STANDARD.encode(hash(body));
        let seconds = now.0.max(0) / 1000;
        let mut signatures = Vec::with_capacity(1024 * self.0.keys.len());
        for key in &self.0.keys {
            let mut field = Folded::new();
            field.tags(&format!(
                "v=1; a=rsa-sha256; c=relaxed/relaxed; d={};",
                key.domain
            ));
            field.tags(&format!("s={}; t={seconds};", key.selector));
            field.list("h=", &names);
            field.tags(&format!("bh={body_hash};"));
            field.word("b=");
            data.truncate(shared);
            field.relaxed(&mut data);
            field.text(&STANDARD.encode(key.key.sign(&data)?));
            signatures.extend_from_slice(field.end().as_bytes());
        }
        put_in_front(message, &signatures);
        Ok(())
    }
}

/// In whole pieces; `Vec::splice` would put the text in octet by octet.
fn put_in_front(message: &mut Vec<u8>, text: &[u8]) {
    let length = message.len();
    message.resize(length + text.len(), 0);
    message.copy_within(..length, text.len());
    if let Some(front) = message.get_mut(..text.len()) {
        front.copy_from_slice(text);
    }
}

/// What is looked for in every body.
static TWO_SPACES: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"  "));
static SPACE_AT_END: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b" \r"));

/// SHA-256 of the body in its relaxed form (RFC 6376 3.4.4).
fn hash(body: &[u8]) -> impl AsRef<[u8]> {
    // Lines at the end that are empty but for spaces count for nothing; the crate would let them count.
    let end = body.iter().rposition(|byte| !b" \t\r\n".contains(byte));
    let body = body.get(..end.map_or(0, |end| end + 1)).unwrap_or_default();
    let mut hasher = Sha256::hasher();
    if memchr(b'\t', body).is_some() || SPACE_AT_END.find(body).is_some() {
        Canonicalization::Relaxed
            .canonical_body(body, u64::MAX)
            .write(&mut hasher);
        return hasher.complete();
    }
    // Nothing but spaces in a row to take together, of which there are few: ten times as fast.
    let mut rest = body;
    while let Some((line, more)) = TWO_SPACES.find(rest).and_then(|at| rest.split_at_checked(at + 1)) {
        hasher.write(line);
        let spaces = more.iter().take_while(|&&byte| byte == b' ').count();
        rest = more.get(spaces..).unwrap_or_default();
    }
    hasher.write(rest);
    if !body.is_empty() {
        hasher.write(b"\r\n");
    }
    hasher.complete()
}

/// Name and value of a header field; the value holds everything behind the colon with its line end.
type Field<'m> = (&'m [u8], &'m [u8]);

/// The header fields from the top, and the body.
fn split(message: &[u8]) -> Option<(Vec<Field<'_>>, &[u8])> {
    let mut fields = Vec::with_capacity(20);
    let mut rest = message;
    loop {
        if let Some(body) = rest.strip_prefix(b"\r\n") {
            return Some((fields, body));
        }
        let mut end = 0;
        loop {
            end += memchr(b'\n', rest.get(end..)?)? + 1;
            if !matches!(rest.get(end), Some(b' ' | b'\t')) {
                break;
            }
        }
        let (field, more) = rest.split_at_checked(end)?;
        let colon = memchr(b':', field)?;
        fields.push((field.get(..colon)?, field.get(colon + 1..)?));
        rest = more;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::domain::dkim_key::{DkimBits, DkimKey};

    const NOW: Timestamp = Timestamp(1_767_323_045_678);

    fn signer(headers: &[&str], domain: &str) -> Signer {
        let key = DkimIdentity {
            domain: domain.to_owned(),
            selector: "jan".to_owned(),
            key: DkimKey::generate(DkimBits::Rsa2048).unwrap(),
        };
        let names = headers.iter().map(|&name| name.to_owned()).collect();
        Signer::new(vec![key], SignedHeaders::of(names).unwrap()).unwrap()
    }

    fn tag<'t>(message: &'t str, name: &str) -> &'t str {
        let field = message.split("\r\nFrom:").next().unwrap();
        let start = field.find(&format!(" {name}=")).unwrap() + name.len() + 2;
        field[start..].split(';').next().unwrap()
    }

    #[tokio::test]
    async fn what_is_there_is_signed_and_nobody_can_add_to_it() {
        let signer = signer(
            &["Date", "To", "From", "List-Unsubscribe-Post", "Subject"],
            "example.org",
        );
        let message = "From: a@example.org\r\nX: y\r\nTO: b@example.com\r\nTo: c@example.com\r\nSubject: s\r\n\r\nbody\r\n";
        let mut signed = message.as_bytes().to_vec();
        signer.sign_aside(&mut signed, NOW).await.unwrap();
        let signed = String::from_utf8(signed).unwrap();
        assert!(signed.ends_with(message));
        assert_eq!(tag(&signed, "h"), "Subject:To:To:From:From:List-Unsubscribe-Post");
        assert_eq!(
            (tag(&signed, "t"), tag(&signed, "d"), tag(&signed, "s")),
            ("1767323045", "example.org", "jan")
        );
        assert_eq!(
            (tag(&signed, "a"), tag(&signed, "c")),
            ("rsa-sha256", "relaxed/relaxed")
        );
        let field = signed.split("\r\nFrom:").next().unwrap();
        let mut tags = field.split(';').map(str::trim_start);
        assert!(
            !tags.any(|tag| tag.starts_with("x=") || tag.starts_with("l=")),
            "{signed}"
        );
    }

    #[test]
    fn the_field_is_folded_whatever_its_names() {
        let long = "x".repeat(60);
        let names = [
            &["From", &long, "Subject"][..],
            &["A", "B", "C", "D", "E", "F", "G", "H", "I"],
        ]
        .concat();
        let mut message = names
            .iter()
            .map(|name| format!("{name}: x\r\n"))
            .collect::<String>()
            + "\r\n";
        let signer = signer(&names, &format!("{}.example.org", "d".repeat(60)));
        let mut bytes = std::mem::take(&mut message).into_bytes();
        signer.sign(&mut bytes, NOW).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let field = text.split("\r\nFrom:").next().unwrap();
        assert!(
            field.lines().all(|line| line.len() <= 78 && !line.ends_with(' ')),
            "{field}"
        );
        assert!(
            field
                .lines()
                .skip(1)
                .all(|line| line.starts_with(' ') && !line.starts_with("  ")),
            "{field}"
        );
    }

    proptest::proptest! {
        #[test]
        fn the_quick_hash_is_that_of_the_relaxed_form(lines in "([a. ]{0,3}[ \t]{0,1}[a.]{0,2}\n){0,6}", last in "[a ]{0,3}") {
            let body = format!("{lines}{last}").replace('\n', "\r\n");
            let kept = body.trim_end_matches([' ', '\t', '\r', '\n']);
            let mut by_the_crate = Sha256::hasher();
            Canonicalization::Relaxed.canonical_body(kept.as_bytes(), u64::MAX).write(&mut by_the_crate);
            let (ours, theirs) = (hash(body.as_bytes()), by_the_crate.complete());
            proptest::prop_assert_eq!(ours.as_ref(), theirs.as_ref());
        }
    }

    #[test]
    fn what_cannot_be_signed_is_refused_and_stays_as_it_was() {
        let signer = signer(&["From", "Subject"], "example.org");
        for wrong in [
            "",
            "Subject: s\r\n\r\nbody\r\n",
            "From: a@example.org\r\n",
            "From: a@example.org",
            "no field\r\n\r\n",
        ] {
            let mut message = wrong.as_bytes().to_vec();
            assert!(signer.sign(&mut message, NOW).is_err(), "{wrong:?}");
            assert_eq!(message, wrong.as_bytes());
        }
        assert_eq!(format!("{signer:?}"), "Signer(jan._domainkey.example.org)");
        assert!(Signer::new(Vec::new(), SignedHeaders::default()).is_none());
    }
}
