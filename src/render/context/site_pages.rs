//! The pages of the site that show summaries and categories.

use serde::Serialize;

use super::Frame;
use super::site::{
    CategoryContext, CategoryLink, Crumb, Pager, SummaryContext, bare_category, sample_category,
    sample_crumbs, sample_frame, sample_summaries,
};
use crate::domain::Site;
use crate::domain::helpful::Answer;
use crate::render::pages::Page;

/// `home`: the start page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HomePage {
    /// What the layout needs.
    #[serde(flatten)]
    pub frame: Frame,
    /// The latest summaries.
    pub summaries: Vec<SummaryContext>,
    /// Every category.
    pub categories: Vec<CategoryContext>,
}

/// `research`: all summaries, page by page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResearchPage {
    /// What the layout needs.
    #[serde(flatten)]
    pub frame: Frame,
    /// The way here.
    pub crumbs: Vec<Crumb>,
    /// What this page lists.
    pub summaries: Vec<SummaryContext>,
    /// Which page it is.
    pub pager: Pager,
}

/// `categories`: every category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CategoriesPage {
    /// What the layout needs.
    #[serde(flatten)]
    pub frame: Frame,
    /// The way here.
    pub crumbs: Vec<Crumb>,
    /// In the configuration's order.
    pub categories: Vec<CategoryContext>,
}

/// `category`: the summaries of a category, page by page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CategoryPage {
    /// What the layout needs.
    #[serde(flatten)]
    pub frame: Frame,
    /// The way here.
    pub crumbs: Vec<Crumb>,
    /// Which one.
    pub category: CategoryContext,
    /// What this page lists.
    pub summaries: Vec<SummaryContext>,
    /// Which page it is.
    pub pager: Pager,
}

/// `summary`: one summary, whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SummaryPage {
    /// What the layout needs.
    #[serde(flatten)]
    pub frame: Frame,
    /// The way here.
    pub crumbs: Vec<Crumb>,
    /// The summary.
    pub summary: SummaryContext,
    /// The category that the way back leads to, or null.
    pub back: Option<CategoryLink>,
}

/// `helpful`: asks before an answer counts, or thanks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HelpfulPage {
    /// What the layout needs.
    #[serde(flatten)]
    pub frame: Frame,
    /// The summary's title.
    pub summary_title: String,
    /// The summary's slug.
    pub slug: String,
    /// The answer that the link brought, `yes` or `no`, or null.
    pub answer: Option<&'static str>,
    /// Whether it was given.
    pub done: bool,
    /// Whether it then counts: one does a day, for each browser.
    pub counted: bool,
}

impl HelpfulPage {
    /// The word of `answer`.
    pub fn word(answer: Option<Answer>) -> Option<&'static str> {
        answer.map(Answer::as_str)
    }
}

impl Page for HomePage {
    const TEMPLATE: &'static str = "home";

    fn samples() -> Vec<Self> {
        let full = Self {
            frame: Frame::sample().home(),
            summaries: sample_summaries(),
            categories: vec![sample_category(), bare_category()],
        };
        let bare = Self {
            frame: Frame {
                site: Site {
                    tagline: String::new(),
                    ..full.frame.site.clone()
                },
                ..Frame::bare_sample()
            },
            summaries: Vec::new(),
            categories: Vec::new(),
        };
        vec![full, bare]
    }
}

impl Page for ResearchPage {
    const TEMPLATE: &'static str = "research";

    fn samples() -> Vec<Self> {
        let sample = |full: bool, summaries, pager| Self {
            frame: sample_frame(full),
            crumbs: sample_crumbs(),
            summaries,
            pager,
        };
        vec![
            sample(true, sample_summaries(), Pager::new("../research", 2, 3)),
            sample(false, Vec::new(), Pager::new("../research", 1, 1)),
        ]
    }
}

impl Page for CategoriesPage {
    const TEMPLATE: &'static str = "categories";

    fn samples() -> Vec<Self> {
        vec![Self {
            frame: Frame::sample(),
            crumbs: sample_crumbs(),
            categories: vec![sample_category(), bare_category()],
        }]
    }
}

impl Page for CategoryPage {
    const TEMPLATE: &'static str = "category";

    fn samples() -> Vec<Self> {
        let sample = |full: bool, category, summaries, pager| Self {
            frame: sample_frame(full),
            crumbs: sample_crumbs(),
            category,
            summaries,
            pager,
        };
        vec![
            sample(
                true,
                sample_category(),
                sample_summaries(),
                Pager::new("../first-category", 2, 3),
            ),
            sample(
                false,
                bare_category(),
                Vec::new(),
                Pager::new("../first-category", 1, 1),
            ),
        ]
    }
}

impl Page for SummaryPage {
    const TEMPLATE: &'static str = "summary";

    fn samples() -> Vec<Self> {
        let sample = |full: bool, summary: SummaryContext| Self {
            frame: sample_frame(full),
            crumbs: sample_crumbs(),
            back: summary.categories.first().cloned(),
            summary,
        };
        let mut samples = vec![sample(true, SummaryContext::sample())];
        samples.extend(
            sample_summaries()
                .into_iter()
                .skip(1)
                .map(|summary| sample(false, summary)),
        );
        samples
    }
}

impl Page for HelpfulPage {
    const TEMPLATE: &'static str = "helpful";

    fn samples() -> Vec<Self> {
        let sample = |answer, done, counted| Self {
            frame: Frame::bare_sample(),
            summary_title: "A sample summary".to_owned(),
            slug: "sample-summary".to_owned(),
            answer,
            done,
            counted,
        };
        vec![
            sample(Some("yes"), false, false),
            sample(None, false, false),
            sample(Some("no"), true, true),
            sample(Some("no"), true, false),
        ]
    }
}
