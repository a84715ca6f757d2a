//! Signing messages with DKIM (RFC 6376): `rsa-sha256`, `relaxed/relaxed`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mail_auth::common::crypto::{HashContext, HashImpl, Sha256};
use mail_auth::common::headers::Writable;
use mail_auth::dkim::Canonicalization;
use std::fmt;
use std::sync::Arc;
use tokio::sync::Semaphore;

use crate::domain::dkim::{DkimIdentity, SignedHeaders};
use crate::domain::{Problem, Result, Timestamp};

/// RFC 5322 recommends lines of at most 78.
const LINE: usize = 78;
/// Messages a processor that are signed at a time: fewer, and a processor waits while a thread is woken; more,
/// and the threads crowd out everything else.
const TURNS: usize = 4;
/// The field that carries a signature.
const FIELD: &str = "DKIM-Signature";

/// Puts signatures in front of messages: one for each key, since verifiers take any that is good.
#[derive(Clone)]
pub struct Signer(Arc<Inner>);

struct Inner {
    keys: Vec<DkimIdentity>,
    headers: SignedHeaders,
    turns: Semaphore,
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
        Some(Self(Arc::new(Inner {
            keys,
            headers,
            turns: Semaphore::new(processors * TURNS),
        })))
    }

    /// Signs `message` on a thread that may be busy for long: RSA takes a good part of a millisecond, in
    /// which an async worker would keep every other connection waiting.
    ///
    /// # Errors
    /// As [`Signer::sign`].
    pub async fn sign_aside(&self, message: &mut Vec<u8>, now: Timestamp) -> Result<()> {
        let trouble =
            |error: &dyn fmt::Display| Problem::failed(format!("a message was not signed: {error}"));
        let _turn = self.0.turns.acquire().await.map_err(|error| trouble(&error))?;
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
            signatures.extend_from_slice(field.0.as_bytes());
            signatures.extend_from_slice(b"\r\n");
        }
        message.splice(0..0, signatures);
        Ok(())
    }
}

/// SHA-256 of the body in its relaxed form (RFC 6376 3.4.4).
fn hash(body: &[u8]) -> impl AsRef<[u8]> {
    // Lines at the end that are empty but for spaces count for nothing; the crate would let them count.
    let end = body.iter().rposition(|byte| !b" \t\r\n".contains(byte));
    let body = body.get(..end.map_or(0, |end| end + 1)).unwrap_or_default();
    let mut hasher = Sha256::hasher();
    Canonicalization::Relaxed
        .canonical_body(body, u64::MAX)
        .write(&mut hasher);
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
            end += rest.get(end..)?.iter().position(|&byte| byte == b'\n')? + 1;
            if !matches!(rest.get(end), Some(b' ' | b'\t')) {
                break;
            }
        }
        let (field, more) = rest.split_at_checked(end)?;
        let colon = field.iter().position(|&byte| byte == b':')?;
        fields.push((field.get(..colon)?, field.get(colon + 1..)?));
        rest = more;
    }
}

/// The field while it is written: lines break before a space, and nowhere else does white space stand in
/// front of a line end, so that its relaxed form is the same text without line ends.
struct Folded(String);

impl Folded {
    fn new() -> Self {
        Self(format!("{FIELD}:"))
    }

    fn column(&self) -> usize {
        self.0.len() - self.0.rfind('\n').map_or(0, |end| end + 1)
    }

    /// A space and `word`, on a new line when this one would be too long.
    fn word(&mut self, word: &str) {
        if self.column() + 1 + word.len() > LINE {
            self.0.push_str("\r\n");
        }
        self.0.push(' ');
        self.0.push_str(word);
    }

    fn tags(&mut self, tags: &str) {
        tags.split(' ').for_each(|tag| self.word(tag));
    }

    /// Names with colons between.
    fn list(&mut self, tag: &str, names: &[&str]) {
        for (index, name) in names.iter().enumerate() {
            let end = if index + 1 == names.len() { ';' } else { ':' };
            if index == 0 {
                self.word(&format!("{tag}{name}{end}"));
            } else if self.column() + name.len() + 1 > LINE {
                self.word(&format!("{name}{end}"));
            } else {
                self.0.push_str(name);
                self.0.push(end);
            }
        }
    }

    /// Text that may break anywhere.
    fn text(&mut self, text: &str) {
        let mut rest = text;
        while !rest.is_empty() {
            let room = LINE.saturating_sub(self.column()).min(rest.len());
            let (line, more) = rest.split_at(room);
            self.0.push_str(line);
            if !more.is_empty() {
                self.0.push_str("\r\n ");
            }
            rest = more;
        }
    }

    /// Appends the relaxed form (RFC 6376 3.4.2), without the line end as the signature's own field has none.
    fn relaxed(&self, data: &mut Vec<u8>) {
        let value = self.0.get(FIELD.len() + 1..).unwrap_or_default();
        data.extend_from_slice(FIELD.to_ascii_lowercase().as_bytes());
        data.push(b':');
        data.extend(value.trim_start().bytes().filter(|byte| !b"\r\n".contains(byte)));
    }
}
