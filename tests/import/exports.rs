//! Made-up exports of other programs, and what must become of each of their rows.

use std::collections::BTreeMap;

/// What must become of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// A reader in this state.
    Reader(&'static str),
    /// A reader who had left here, and stays so.
    Kept,
    /// Nobody who is to be a reader.
    Skipped,
    /// A wrong row.
    Wrong,
    /// A wrong row of somebody who has left, which is taken.
    Heeded(&'static str),
}

/// A file, and what is to be reported of it.
pub struct Made {
    pub name: String,
    pub text: String,
    end: &'static str,
    width: usize,
    pub fates: Vec<(u64, Fate)>,
}

impl Made {
    fn new(name: &str, begin: &str, end: &'static str, header: &str) -> Self {
        Self {
            name: name.to_owned(),
            text: format!("{begin}{header}{end}"),
            end,
            width: header.split(',').count(),
            fates: Vec::new(),
        }
    }

    /// Adds a row; cells that are not given are empty.
    fn row(&mut self, cells: &[&str], fate: Fate) {
        let line = 1 + self.text.matches('\n').count() as u64;
        let mut row: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
        row.resize(self.width, String::new());
        self.text += &(row.join(",") + self.end);
        self.fates.push((line, fate));
    }

    pub fn count(&self, wanted: Fate) -> u64 {
        self.fates.iter().filter(|(_, fate)| *fate == wanted).count() as u64
    }

    /// The lines that are wrong.
    pub fn wrong(&self) -> Vec<u64> {
        let is_wrong = |fate| matches!(fate, Fate::Wrong | Fate::Heeded(_));
        let wrong = self.fates.iter().filter(|(_, fate)| is_wrong(*fate));
        wrong.map(|(line, _)| *line).collect()
    }

    /// The readers whom its rows make, by state.
    pub fn states(&self) -> BTreeMap<&'static str, u64> {
        let mut states = BTreeMap::new();
        for (_, fate) in &self.fates {
            if let Fate::Reader(state) = fate {
                *states.entry(*state).or_default() += 1;
            }
        }
        states
    }
}

fn quoted(cell: &str) -> String {
    if cell.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

/// An address that no server takes, of the kind `n`.
fn bad_address(n: usize) -> String {
    match n % 4 {
        0 => format!("no-at-{n}.readers.net"),
        1 => "x".repeat(70) + "@readers.net",
        2 => String::new(),
        _ => format!("two@at@readers.net{n}"),
    }
}

/// Whether row `n` is one of the wrong ones, and how many came before it.
fn bad(n: usize) -> Option<usize> {
    (n % 131 == 130).then_some(n / 131)
}

/// The number of a row above row `n` that is right in every export.
fn earlier(n: usize) -> usize {
    let is_right = |row: &usize| row.is_multiple_of(30) && bad(*row).is_none();
    (0..n).rev().find(is_right).unwrap()
}

/// 10,000 rows in four files, in the form of an audience export.
pub fn mailchimp() -> Vec<Made> {
    let common = "Email Address,First Name,Last Name,Interests,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,\
        CONFIRM_IP,LATITUDE,LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED,LEID,EUID,NOTES,TAGS";
    let at = "2024-03-04 05:06:07";
    let file = |name: &str, more: &str| Made::new(name, "\u{FEFF}", "\r\n", &format!("{common}{more}"));
    let mut subscribed = file("subscribed_members_export_0a1b.csv", "");
    for n in 0..7000 {
        let address = format!("Mc{n}@readers.net");
        let (name, interests) = match n % 4 {
            0 => ("Ann\r\nB.", "Bladder Health, Heart\\, lungs"),
            1 => ("Bo", ""),
            2 => ("", "oncology"),
            _ => ("Dee", "Bladder Health"),
        };
        let confirmed = if n % 2 == 0 { at } else { "" };
        let row = |address: &str, optin: &str| -> Vec<String> {
            [
                address,
                name,
                "Tee",
                interests,
                "2",
                optin,
                "192.0.2.1",
                confirmed,
            ]
            .map(str::to_owned)
            .to_vec()
        };
        let (row, fate) = match bad(n) {
            None if n == 5 => (row("left@readers.net", at), Fate::Kept),
            None => (row(&address, at), Fate::Reader("confirmed")),
            // In other case than the one before.
            Some(k) if k % 6 == 4 => (row(&format!("MC{}@READERS.NET", n - 1), at), Fate::Wrong),
            Some(k) if k % 6 == 5 => {
                let mut row = row(&address, at);
                row[7] = "2024-02-31 00:00:00".to_owned();
                (row, Fate::Wrong)
            }
            Some(k) => (row(&bad_address(k % 6), at), Fate::Wrong),
        };
        let mut cells: Vec<&str> = row.iter().map(String::as_str).collect();
        cells.resize(20, "");
        cells.push("\"vip\",\"Old, list\"");
        subscribed.row(&cells, fate);
    }
    let mut unsubscribed = file(
        "unsubscribed_members_export_0a1b.csv",
        ",UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_CAMPAIGN_ID,UNSUB_REASON,UNSUB_REASON_OTHER",
    );
    for n in 0..2000 {
        let address = format!("gone{n}@readers.net");
        let (reason, state) = match n % 10 {
            3 => ("SPAM", "complained"),
            7 => ("N/A (Abuse complaint)", "complained"),
            1 => ("NORMAL", "unsubscribed"),
            _ => ("", "unsubscribed"),
        };
        let mut cells = vec![""; 26];
        (cells[0], cells[5], cells[21], cells[24]) = (&address, at, "2025-01-01 00:00:00", reason);
        let fate = match bad(n) {
            None => Fate::Reader(state),
            Some(k) if k % 2 == 0 => {
                cells[5] = "long ago";
                Fate::Heeded(state)
            }
            Some(_) => {
                cells[0] = "nobody";
                Fate::Wrong
            }
        };
        unsubscribed.row(&cells, fate);
    }
    let mut cleaned = file(
        "cleaned_members_export_0a1b.csv",
        ",CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,CLEAN_CAMPAIGN_ID",
    );
    for n in 0..700 {
        cleaned.row(
            &[&format!("dead{n}@readers.net"), "", "", ""],
            Fate::Reader("bounced"),
        );
    }
    let mut others = file("nonsubscribed_members_export_0a1b.csv", "");
    for n in 0..300 {
        others.row(&[&format!("buyer{n}@readers.net")], Fate::Skipped);
    }
    vec![subscribed, unsubscribed, cleaned, others]
}

/// 10,000 rows as a query of listmonk's tables gives them, with lists and the standing with them.
pub fn listmonk() -> Made {
    let mut made = Made::new(
        "subscribers.csv",
        "",
        "\n",
        "uuid,email,name,attributes,status,subscription_status,lists,created_at,updated_at",
    );
    let at = "2024-03-04 05:06:07.891234 +0000 UTC";
    for n in 0..10_000 {
        let address = format!("lm{n}@Readers.net");
        let uuid = format!("00000000-0000-4000-8000-{n:012}");
        let (mut status, mut subscription, state) = match n % 10 {
            0..=4 => ("enabled", "confirmed", "confirmed"),
            5 => ("enabled", "unconfirmed", "pending"),
            6 => ("enabled", "unsubscribed", "unsubscribed"),
            7 => ("disabled", "confirmed", "unsubscribed"),
            8 => ("blocklisted", "confirmed", "complained"),
            _ => ("enabled", "", "confirmed"),
        };
        let lists = match n % 3 {
            0 => "Weekly news,Monthly letter",
            1 => "weekly news",
            _ => "Staff",
        };
        let leaves = matches!(state, "unsubscribed" | "complained");
        let mut fate = match n % 3 {
            2 if !leaves => Fate::Skipped,
            _ => Fate::Reader(state),
        };
        let (mut name, mut address, mut since) = ("Ann\r\nB.", address, at);
        match bad(n) {
            None if n == 9 => {
                address = "left@readers.net".to_owned();
                fate = Fate::Kept;
            }
            None => {}
            Some(k) => {
                (status, subscription) = ("enabled", "confirmed");
                fate = Fate::Wrong;
                match k % 9 {
                    4 => address = format!("LM{}@readers.net", earlier(n)),
                    5 => status = "asleep",
                    6 => subscription = "perhaps",
                    7 => since = "yesterday",
                    8 => name = "see https://example.com",
                    _ => address = bad_address(k % 9),
                }
            }
        }
        let lists = if fate == Fate::Wrong { "Weekly news" } else { lists };
        let cells = [
            &uuid,
            &address,
            name,
            "{\"city\": \"Bern, CH\"}",
            status,
            subscription,
            lists,
            since,
            at,
        ];
        made.row(&cells, fate);
    }
    made
}

/// 10,000 rows of an email list of Substack.
pub fn substack() -> Made {
    let mut made = Made::new(
        "email_list.example.csv",
        "",
        "\n",
        "email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at",
    );
    for n in 0..10_000 {
        let address = format!("ss{n}@readers.net");
        let (off, state) = match n % 10 {
            7 => ("true", "unsubscribed"),
            8 => ("bounced", "bounced"),
            9 => ("spam complaint", "complained"),
            _ => ("false", "confirmed"),
        };
        let at = if n % 4 == 0 {
            ""
        } else {
            "2024-03-04T05:06:07.891Z"
        };
        let at_end = ["false", "", "other"];
        let mut row = |address: &str, off: &str, at: &str, fate| {
            made.row(&[address, at_end[0], at_end[1], at_end[2], off, at, ""], fate);
        };
        match bad(n) {
            None if n == 1 => row("left@readers.net", off, at, Fate::Kept),
            None => row(&address, off, at, Fate::Reader(state)),
            Some(k) if k % 7 == 4 => row(
                &format!("Ss{}@READERS.net", n / 30 * 30),
                "false",
                at,
                Fate::Wrong,
            ),
            Some(k) if k % 7 == 5 => row(&address, "perhaps", at, Fate::Wrong),
            Some(k) if k % 7 == 6 => row(&address, "false", "soon", Fate::Wrong),
            Some(k) => row(&bad_address(k % 7), "false", at, Fate::Wrong),
        }
    }
    made
}
