#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use proptest::prelude::*;

const PURPOSES: [Purpose; 8] = Purpose::ALL;

fn key(id: u8, revoked: bool) -> Key {
    Key {
        id,
        bytes: [id.wrapping_add(7); 32],
        revoked,
    }
}

fn signer(keys: &[(u8, bool)]) -> Signer {
    Signer::new(
        &keys
            .iter()
            .map(|&(id, revoked)| key(id, revoked))
            .collect::<Vec<_>>(),
    )
    .unwrap()
}

#[test]
fn keys_rotate_and_are_revoked() {
    let old = signer(&[(1, false)]);
    let token = old.reader_token(Purpose::Unsubscribe, 42, 1);
    let reader = Ok(ReaderRef {
        subscriber: 42,
        digest_number: 1,
        generation: 0,
    });
    for (keys, expected) in [
        (vec![(1, false)], reader),
        (vec![(2, false), (1, false)], reader),
        (vec![(3, false), (2, true), (1, false)], reader),
        (vec![(2, false), (1, true)], Err(TokenFault::Revoked)),
        (vec![(2, false)], Err(TokenFault::Forged)),
    ] {
        assert_eq!(
            signer(&keys).read_reader_token(Purpose::Unsubscribe, &token),
            expected,
            "{keys:?}"
        );
    }
    let mut other = key(1, false);
    other.bytes[31] ^= 1;
    assert_eq!(
        Signer::new(&[other])
            .unwrap()
            .read_reader_token(Purpose::Unsubscribe, &token),
        Err(TokenFault::Forged)
    );
}

/// What stands in mails that were sent must be read for years, so the tokens are written out here.
#[test]
fn a_generation_stands_in_a_token_only_once_there_is_one() {
    let us = signer(&[(1, false)]);
    for (generation, token) in [
        (0, "ASoBLzIYF0WIQoTfN4qb"),
        (1, "ASoBAWNoccqDyaz6Sd1blw"),
        (200, "ASoByAHFhKnowAaEN_n62vc"),
    ] {
        assert_eq!(us.preferences_token(42, 1, generation), token);
        let reader = ReaderRef {
            subscriber: 42,
            digest_number: 1,
            generation,
        };
        assert_eq!(us.read_reader_token(Purpose::Preferences, token), Ok(reader));
        for other in PURPOSES
            .into_iter()
            .filter(|&other| other != Purpose::Preferences)
        {
            assert_eq!(
                us.read_reader_token(other, token),
                Err(TokenFault::Forged),
                "{other:?}"
            );
            let short = us.read_short_lived(other, token, Timestamp(0));
            assert_eq!(short, Err(TokenFault::Forged), "{other:?}");
        }
        for (number, wrong) in [(generation + 1, TokenFault::Forged), (0, TokenFault::Forged)] {
            let mut bytes = URL_SAFE_NO_PAD.decode(token).unwrap();
            let mac = bytes.split_off(bytes.len() - MAC);
            bytes.truncate(3);
            put_varint(&mut bytes, number);
            bytes.extend(mac);
            let forged = URL_SAFE_NO_PAD.encode(bytes);
            assert_eq!(
                us.read_reader_token(Purpose::Preferences, &forged),
                Err(wrong),
                "{number}"
            );
        }
    }
    assert_eq!(
        us.reader_token(Purpose::Preferences, 42, 1),
        us.preferences_token(42, 1, 0)
    );
    assert!(us.preferences_token((1 << 42) - 1, (1 << 14) - 1, 127).len() <= 30);
    // Signed by us, and yet no token: it has two spellings, no such purpose, or too much in it.
    for (purpose, numbers) in [
        (Purpose::Preferences, &[42, 1, 0][..]),
        (Purpose::Preferences, &[42, 1, -1]),
        (Purpose::Preferences, &[42, 1, 1, 1]),
        (Purpose::Preferences, &[42]),
        (Purpose::Unsubscribe, &[42, 1, 1]),
    ] {
        let token = URL_SAFE_NO_PAD.encode(us.sign(Use::Link(purpose), numbers, MAC));
        let read = us.read_reader_token(purpose, &token);
        assert_eq!(read, Err(TokenFault::Malformed), "{purpose:?} {numbers:?}");
    }
}

#[test]
fn signs_with_the_newest_key_that_is_not_revoked() {
    let token = signer(&[(3, true), (2, false), (1, false)]).reader_token(Purpose::Preferences, 1, 1);
    assert!(
        signer(&[(2, false)])
            .read_reader_token(Purpose::Preferences, &token)
            .is_ok()
    );
}

#[test]
fn refuses_keys_that_can_not_sign() {
    let said = |keys: &[Key]| Signer::new(keys).err().unwrap().to_string();
    assert_eq!(
        said(&[key(1, true)]),
        "there is no token secret that is not revoked\n  hint: add a new one as the first line of the secret file"
    );
    assert!(said(&[]).starts_with("there is no token secret"));
    assert!(said(&[key(4, false), key(4, true)]).starts_with("two token secrets have the number 4"));
}

#[test]
fn secrets_do_not_show() {
    let shown = format!("{:?} {:?}", key(9, false), signer(&[(9, false)]));
    assert_eq!(shown, "Key { id: 9, revoked: false } [9]");
}

proptest! {
    #[test]
    fn a_token_is_read_back_and_short(subscriber in 1_i64..1 << 49, digest_number in 1_i64..1 << 14) {
        let us = signer(&[(200, false), (1, false)]);
        for purpose in PURPOSES {
            let token = us.reader_token(purpose, subscriber, digest_number);
            prop_assert!(token.len() <= 30, "{token}");
            prop_assert_eq!(us.read_reader_token(purpose, &token), Ok(ReaderRef { subscriber, digest_number, generation: 0 }));
        }
    }

    #[test]
    fn extreme_numbers_come_back(subscriber: i64, digest_number: i64, generation in 1_i64..) {
        let us = signer(&[(1, false)]);
        let token = us.preferences_token(subscriber, digest_number, generation);
        prop_assert_eq!(us.read_reader_token(Purpose::Preferences, &token),
            Ok(ReaderRef { subscriber, digest_number, generation }));
        let token = us.reader_token(Purpose::Unsubscribe, subscriber, digest_number);
        prop_assert_eq!(us.read_reader_token(Purpose::Unsubscribe, &token),
            Ok(ReaderRef { subscriber, digest_number, generation: 0 }));
    }

    #[test]
    fn any_changed_character_is_refused(subscriber in 1_i64..1 << 40, at: prop::sample::Index, new in "[A-Za-z0-9_-]") {
        let us = signer(&[(1, false)]);
        let token = us.reader_token(Purpose::Unsubscribe, subscriber, 1);
        let at = at.index(token.len());
        let mut changed = token.clone();
        changed.replace_range(at..=at, &new);
        prop_assume!(changed != token);
        prop_assert!(us.read_reader_token(Purpose::Unsubscribe, &changed).is_err(), "{token} {changed}");
        for cut in 0..token.len() {
            prop_assert!(us.read_reader_token(Purpose::Unsubscribe, &token[..cut]).is_err());
        }
        let longer = token.clone() + &new;
        prop_assert!(us.read_reader_token(Purpose::Unsubscribe, &longer).is_err());
    }

    #[test]
    fn a_purpose_and_a_reader_are_bound(one in 1_i64..5000, other in 1_i64..5000, digest in 1_i64..3) {
        let us = signer(&[(1, false)]);
        let link = us.reader_token(Purpose::Unsubscribe, one, digest);
        let settings = us.reader_token(Purpose::Preferences, one, digest);
        prop_assert_eq!(us.read_reader_token(Purpose::Preferences, &link), Err(TokenFault::Forged));
        prop_assert_eq!(us.read_reader_token(Purpose::Unsubscribe, &settings), Err(TokenFault::Forged));
        prop_assert_ne!(&link, &settings);
        prop_assert_ne!(&link, &us.reader_token(Purpose::Unsubscribe, one, digest + 1));
        if one != other {
            prop_assert_ne!(&link, &us.reader_token(Purpose::Unsubscribe, other, digest));
        }
    }

    #[test]
    fn a_short_lived_token_holds_to_its_purpose_its_time_and_its_key(
        id in 1_i64..1 << 49,
        end in 0_i64..1 << 50,
        at in any::<prop::sample::Index>(),
        new in "[A-Za-z0-9_-]",
        purpose in prop::sample::select(PURPOSES.to_vec()),
    ) {
        let us = signer(&[(7, false), (1, false)]);
        let end = Timestamp(end);
        let token = us.short_lived_token(purpose, id, end);
        let (before, after) = (Timestamp(end.0 - 1), Timestamp(end.0 + MINUTE));
        prop_assert_eq!(us.read_short_lived(purpose, &token, before), Ok(id));
        prop_assert_eq!(us.read_short_lived(purpose, &token, end), Ok(id));
        prop_assert_eq!(us.read_short_lived(purpose, &token, after), Err(TokenFault::Expired));
        for other in PURPOSES.into_iter().filter(|&other| other != purpose) {
            prop_assert_eq!(us.read_short_lived(other, &token, before), Err(TokenFault::Forged));
        }
        let revoked = signer(&[(9, false), (7, true), (1, false)]);
        // Whoever presents it late is told no more than that the key is gone.
        for now in [before, after] {
            prop_assert_eq!(revoked.read_short_lived(purpose, &token, now), Err(TokenFault::Revoked));
        }
        prop_assert_eq!(signer(&[(1, false)]).read_short_lived(purpose, &token, before), Err(TokenFault::Forged));
        for cut in 0..token.len() {
            prop_assert!(us.read_short_lived(purpose, &token[..cut], before).is_err());
        }
        let at = at.index(token.len());
        let mut changed = token.clone();
        changed.replace_range(at..=at, &new);
        prop_assume!(changed != token);
        for now in [before, after] {
            let read = us.read_short_lived(purpose, &changed, now);
            prop_assert!(matches!(read, Err(TokenFault::Forged | TokenFault::Malformed)), "{read:?}");
        }
    }

    #[test]
    fn nothing_makes_the_readers_fall_over(text in any::<String>(), token in "[A-Za-z0-9_-]{0,60}", folded in "[a-z2-7]{0,60}") {
        let us = signer(&[(1, false)]);
        for text in [&text, &token, &folded] {
            prop_assert!(us.read_reader_token(Purpose::Unsubscribe, text).is_err());
            prop_assert!(us.read_return_path(text).is_err());
            prop_assert!(us.read_short_lived(Purpose::Confirm, text, Timestamp(0)).is_err());
        }
    }
}

/// `cargo test --release --lib cost_of_a_message -- --ignored --nocapture`.
#[test]
#[ignore = "measures; wants a release build"]
fn cost_of_a_messages_names_and_links() {
    let signer = signer(&[(2, false), (1, false)]);
    for _ in 0..3 {
        let begun = std::time::Instant::now();
        let mut length = 0;
        for reader in 0..200_000 {
            length += signer.message_id(7, reader, "example.org").len();
            length += signer.return_path_token(7, reader).len();
            length += signer.reader_token(Purpose::Unsubscribe, reader, 1).len();
            length += signer.reader_token(Purpose::Preferences, reader, 1).len();
        }
        let micros = begun.elapsed().as_secs_f64() * 1e6 / 200_000.0;
        println!("{micros:.2} µs a message, {length}");
    }
}
