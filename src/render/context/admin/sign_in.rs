//! The pages through which admins sign in, and those that say no.

use serde::Serialize;

use super::{AdminContext, AdminFrame};
use crate::render::context::Frame;
use crate::render::pages::Page;

/// `admin/sign_in`: asks for the address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SignInPage {
    /// What the layout needs.
    #[serde(flatten)]
    pub frame: Frame,
    /// What was typed.
    pub address: String,
    /// What is wrong with it, or null.
    pub error: Option<String>,
    /// What was just done, or null.
    pub said: Option<String>,
}

/// `admin/sign_in_sent`: says where to look, the same to everybody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SignInSentPage {
    /// What the layout needs.
    #[serde(flatten)]
    pub frame: Frame,
    /// How many minutes the link is good.
    pub minutes: u64,
}

/// `admin/session`: a button, so that a program that opens links signs nobody in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SessionPage {
    /// What the layout needs.
    #[serde(flatten)]
    pub frame: Frame,
    /// Where the button posts to.
    pub action: String,
}

/// `admin/link_used`: a link that signs nobody in (any more).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LinkUsedPage {
    /// What the layout needs.
    #[serde(flatten)]
    pub frame: Frame,
}

/// `admin/trouble`: what was asked for was not done, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TroublePage {
    /// What the layout needs.
    #[serde(flatten)]
    pub frame: Frame,
    /// Who is signed in, or null.
    pub admin: Option<AdminContext>,
    /// What happened.
    pub heading: String,
    /// Why.
    pub reason: String,
}

impl Page for SignInPage {
    const TEMPLATE: &'static str = "admin/sign_in";

    fn samples() -> Vec<Self> {
        vec![
            Self {
                frame: Frame::bare_sample(),
                address: "editor".to_owned(),
                error: Some("Write the whole address.".to_owned()),
                said: Some("You are signed out.".to_owned()),
            },
            Self {
                frame: Frame::bare_sample(),
                address: String::new(),
                error: None,
                said: None,
            },
        ]
    }
}

impl Page for SignInSentPage {
    const TEMPLATE: &'static str = "admin/sign_in_sent";

    fn samples() -> Vec<Self> {
        vec![Self {
            frame: Frame::bare_sample(),
            minutes: 15,
        }]
    }
}

impl Page for SessionPage {
    const TEMPLATE: &'static str = "admin/session";

    fn samples() -> Vec<Self> {
        vec![Self {
            frame: Frame::bare_sample(),
            action: "../../admin/session/sample-token".to_owned(),
        }]
    }
}

impl Page for LinkUsedPage {
    const TEMPLATE: &'static str = "admin/link_used";

    fn samples() -> Vec<Self> {
        vec![Self {
            frame: Frame::bare_sample(),
        }]
    }
}

impl Page for TroublePage {
    const TEMPLATE: &'static str = "admin/trouble";

    fn samples() -> Vec<Self> {
        let full = Self {
            frame: Frame::bare_sample(),
            admin: Some(AdminFrame::sample().admin),
            heading: "That was not done".to_owned(),
            reason: "edition 3 is finished, and can't be paused".to_owned(),
        };
        let bare = Self {
            admin: None,
            ..full.clone()
        };
        vec![full, bare]
    }
}
